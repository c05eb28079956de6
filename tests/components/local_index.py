"""A package index on 127.0.0.1: the simple API in JSON or HTML, byte ranges, and its bad days."""

import hashlib
import io
import json
import tarfile
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class LocalIndex:
    """Serves `files` (name ▶ bytes) of one package; tests turn its knobs."""

    def __init__(self, package: str, files: dict[str, bytes]) -> None:
        self.package, self.files = package, files
        self.html = False
        self.publishes_hashes = True
        self.ranges = True
        self.cut_at = 0  # bytes after which a connection stops, while `cuts` lasts
        self.cuts = 0
        self.stalls = False  # a cut connection then hangs instead of closing
        self.released = threading.Event()
        self.asked: list[tuple[str, str]] = []  # (path, Range header)

    def downloads(self) -> list[str]:
        """The Range headers of the requests for files, "" where there was none."""
        return [sought for path, sought in self.asked if path.startswith("/files/")]

    def page(self) -> tuple[str, bytes]:
        """The package's page and its content type."""
        hashes = {name: hashlib.sha256(body).hexdigest() for name, body in self.files.items()}
        if self.html:
            ends = {n: f"#sha256={h}" if self.publishes_hashes else "" for n, h in hashes.items()}
            anchors = [
                f'<a href="../../files/{name}{ends[name]}">{name}</a>' for name in self.files
            ]
            return "text/html", "<br>".join(anchors).encode()
        listed = [
            {
                "filename": name,
                "url": f"/files/{name}",
                "hashes": {"sha256": hashes[name]} if self.publishes_hashes else {},
            }
            for name in self.files
        ]
        return "application/vnd.pypi.simple.v1+json", json.dumps({"files": listed}).encode()


@contextmanager
def serving(index: LocalIndex) -> Iterator[str]:
    """Runs the index; gives its address, as pip's index-url has it."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            sought = self.headers.get("Range", "")
            index.asked.append((self.path, sought))
            if self.path == f"/simple/{index.package}/":
                self._answer(200, *index.page())
            elif (body := index.files.get(self.path.removeprefix("/files/"))) is not None:
                self._send_file(body, sought if index.ranges else "")
            else:
                self._answer(404, "text/plain", b"no such thing")

        def _send_file(self, body: bytes, sought: str) -> None:
            start = int(sought.removeprefix("bytes=").rstrip("-")) if sought else 0
            if start >= len(body):
                self.send_response(416)
                self.send_header("Content-Range", f"bytes */{len(body)}")
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            self.send_response(206 if sought else 200)
            if sought:
                self.send_header("Content-Range", f"bytes {start}-{len(body) - 1}/{len(body)}")
            self.send_header("Content-Length", str(len(body) - start))
            self.end_headers()
            if index.cuts:
                index.cuts -= 1
                self.wfile.write(body[start : start + index.cut_at])
                self.wfile.flush()
                if index.stalls:
                    index.released.wait(60)
                self.close_connection = True
            else:
                self.wfile.write(body[start:])

        def _answer(self, status: int, kind: str, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/simple"
    finally:
        index.released.set()
        server.shutdown()
        server.server_close()


def wheel(members: dict[str, bytes]) -> bytes:
    """A wheel's bytes: the same for the same members."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as pack:
        for name, body in members.items():
            pack.writestr(zipfile.ZipInfo(name, (2020, 1, 1, 0, 0, 0)), body)
    return out.getvalue()


def sdist(top: str, members: dict[str, bytes]) -> bytes:
    """A .tar.gz's bytes, all members below the folder `top`."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as tar:
        for name, body in members.items():
            info = tarfile.TarInfo(f"{top}/{name}")
            info.size = len(body)
            tar.addfile(info, io.BytesIO(body))
    return out.getvalue()
