"""The Hugging Face hub's endpoints on 127.0.0.1, as far as `snapshot_download` asks them."""

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

COMMIT = "c" * 40


@contextmanager
def serving(repositories: dict[str, dict[str, bytes]], asked: list[str]) -> Iterator[str]:
    """Serves repositories (name ▶ file ▶ bytes), one commit and the branch `main` each.

    Names that start with `gated/` are refused as the hub refuses them; `asked` collects paths.
    """

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = self.path.partition("?")[0]
            asked.append(f"{self.command} {path}")
            name = next(
                (n for n in repositories if path.startswith((f"/api/models/{n}/", f"/{n}/"))), ""
            )
            if not name:
                self._refuse(404, "RepoNotFound")
            elif name.startswith("gated/"):
                self._refuse(403, "GatedRepo")
            elif path.endswith(("/revision/main", f"/revision/{COMMIT}")):
                self._json({"id": name, "sha": COMMIT, "siblings": []})
            elif "/revision/" in path:
                self._refuse(404, "RevisionNotFound")
            elif "/tree/" in path:
                self._json([self._entry(file, body) for file, body in repositories[name].items()])
            elif body := repositories[name].get(path.removeprefix(f"/{name}/resolve/{COMMIT}/")):
                tag = hashlib.sha256(body).hexdigest()
                self._send(200, body, {"ETag": f'"{tag}"', "X-Repo-Commit": COMMIT})
            else:
                self._refuse(404, "EntryNotFound")

        do_HEAD = do_GET  # noqa: N815 - the server's name

        def _entry(self, file: str, body: bytes) -> dict[str, object]:
            digest = hashlib.sha256(body).hexdigest()
            return {"type": "file", "path": file, "size": len(body), "oid": digest[:40],
                    "lfs": {"oid": digest, "size": len(body), "pointerSize": 1}}  # fmt: skip

        def _refuse(self, status: int, code: str) -> None:
            self._send(status, b"", {"X-Error-Code": code, "X-Error-Message": code})

        def _json(self, value: object) -> None:
            self._send(200, json.dumps(value).encode(), {"Content-Type": "application/json"})

        def _send(self, status: int, body: bytes, headers: dict[str, str]) -> None:
            self.send_response(status)
            for key, value in (headers | {"Content-Length": str(len(body))}).items():
                self.send_header(key, value)
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
