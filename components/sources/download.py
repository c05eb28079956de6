"""Downloads one file: resumable, checked by SHA-256, in its place only when it is whole."""

import contextlib
import hashlib
import os
import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import unquote, urlsplit

import requests

from components.sources.cache import CacheUnusable, discard, locked, writing
from components.sources.index import Unreachable, without_password
from components.sources.progress import Progress, silent

_CHUNK = 1 << 16
_TRIES = 5


class Damaged(OSError):
    """A download whose SHA-256 is not the one that was announced."""


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file's bytes, in hexadecimal."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def download(
    url: str,
    target: Path,
    sha256: str | None,
    session: requests.Session,
    *,
    size: int = 0,
    progress: Progress = silent,
) -> Path:
    """Brings `url` to `target`; goes on from `target`.part if an earlier process left one.

    Args:
        url: http, https or file.
        target: where the whole, checked file will be.
        sha256: what its bytes must hash to; None where nobody says it, and nothing is resumed.
        session: carries proxy and certificates.
        size: in bytes, if known before.
        progress: told (name, bytes so far, bytes in all or 0).

    Raises:
        Unreachable: the server does not give the file, after some tries.
        Damaged: the bytes are not the announced ones, twice.
        CacheUnusable: `target`'s folder is full or cannot be written.
    """
    if target.exists():
        return target
    part = target.with_name(target.name + ".part")
    try:
        with locked(target, waiting=_say_waiting(target)), writing(target.parent):
            if not target.exists():
                _bring_checked(url, part, sha256, session, size, progress)
                part.rename(target)
    except CacheUnusable:
        with contextlib.suppress(OSError):
            part.unlink()  # a full disk is not helped by half a file
        raise
    return target


def _bring_checked(
    url: str,
    part: Path,
    sha256: str | None,
    session: requests.Session,
    size: int,
    progress: Progress,
) -> None:
    if sha256 is None:
        discard(part)  # nothing would tell whether two halves are of one file
        return _bring(url, part, session, size, progress)
    resumed = part.exists()
    _bring(url, part, session, size, progress)
    if resumed and sha256_of(part) != sha256:  # the old half may be the culprit
        part.unlink()
        _bring(url, part, session, size, progress)
    return _check(part, sha256, url)


def _check(part: Path, sha256: str, url: str) -> None:
    found = sha256_of(part)
    if found != sha256:
        part.unlink()
        raise Damaged(
            f"{without_password(url)}: SHA-256 is {found}, expected {sha256}. Nothing was kept. "
            "Run again; if it stays so, the index or proxy serves another file: do not use it."
        )


def _bring(url: str, part: Path, session: requests.Session, size: int, progress: Progress) -> None:
    """Fills `part`, over several connections if need be."""
    if url.startswith("file:"):
        shutil.copyfile(unquote(urlsplit(url).path), part)
        return
    for attempt in range(_TRIES):
        try:
            _stream(url, part, session, size, progress)
            return
        except requests.RequestException as error:
            if attempt + 1 == _TRIES or _is_final(error):
                raise Unreachable(
                    f"{without_password(url)} could not be downloaded ({error}). Check network "
                    "and proxy, then run again: it goes on where it stopped."
                ) from error
            time.sleep(min(2**attempt / 2, 4))


def _is_final(error: requests.RequestException) -> bool:
    """404 and the like do not get better by asking again."""
    return error.response is not None and 400 <= error.response.status_code < 500


def _stream(url: str, part: Path, session: requests.Session, size: int, progress: Progress) -> None:
    """One connection: asks for the bytes that `part` lacks and appends them (RFC 9110, 14.2)."""
    have = part.stat().st_size if part.exists() else 0
    # Accept-Encoding: a transparently unpacked answer would not hash to the announced value.
    headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={have}-"} if have else {})
    with session.get(url, headers=headers, stream=True) as answer:
        if answer.status_code == 416:  # nothing is left to send: whole, or of another file
            if answer.headers.get("Content-Range", "").endswith(f"/{have}"):
                return None
            part.unlink()
            return _stream(url, part, session, size, progress)
        answer.raise_for_status()
        if answer.status_code != 206 or not _starts_at(answer, have):
            have = 0
        left = int(answer.headers.get("Content-Length", 0))
        _append(answer, part, have, size or (have + left if left else 0), progress)
    if left and part.stat().st_size != have + left:
        raise requests.ConnectionError(f"{part.stat().st_size - have} of {left} bytes came")
    return None


def _starts_at(answer: requests.Response, have: int) -> bool:
    return answer.headers.get("Content-Range", "").startswith(f"bytes {have}-")


def _append(
    answer: requests.Response, part: Path, have: int, size: int, progress: Progress
) -> None:
    name = part.name.removesuffix(".part")
    with part.open("ab") as file:
        file.truncate(have)
        for chunk in answer.iter_content(_CHUNK):
            file.write(chunk)
            have += len(chunk)
            progress(name, have, size)
        file.flush()
        os.fsync(file.fileno())  # before the rename, so that a power cut leaves no empty file


def _say_waiting(target: Path) -> Callable[[], None]:
    def say() -> None:
        words = f"waiting for another process that downloads {target.name} …"
        print(words, file=sys.stderr, flush=True)

    return say
