"""Bodies of REST requests and answers: limits, timeouts, gzip."""

import contextlib
import gzip
import zlib
from typing import NamedTuple

import anyio
from starlette.requests import ClientDisconnect, Request

_GZIP_WBITS = 31
# Below this gzip saves no packet; level 1 costs a third of the default's time for text.
_GZIP_FROM_BYTES = 1024
_GZIP_LEVEL = 1
_DISCARD_SECONDS = 2.0


class BodyRefused(Exception):
    """The body is not read to its end, or not unpacked; `status` is HTTP's code for why."""

    def __init__(self, status: int, message: str) -> None:
        self.status, self.message = status, message
        super().__init__(message)


class BodyLimits(NamedTuple):
    """How large a body may be (unpacked, too), and how long it may take to arrive."""

    max_bytes: int = 64 << 20
    seconds: float = 60.0


async def read(request: Request, limits: BodyLimits) -> bytes:
    """The body as it was sent. It is awaited, so a slow client holds no thread.

    Raises:
        BodyRefused: 413 if it is too large, 408 if it takes too long.
        ClientDisconnect: the client has gone.
    """
    stated = request.headers.get("content-length", "")
    if stated.isdecimal() and int(stated) > limits.max_bytes:
        raise _too_large(limits)
    try:
        with anyio.fail_after(limits.seconds):
            return await _joined(request, limits)
    except TimeoutError:
        message = f"the body did not arrive within {limits.seconds:g} seconds"
        raise BodyRefused(408, message) from None


async def _joined(request: Request, limits: BodyLimits) -> bytes:
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > limits.max_bytes:
            raise _too_large(limits)
        parts.append(part)
    return b"".join(parts)


async def discard(request: Request) -> None:
    """Takes the rest of a body that nobody wants, for a moment: a client that is still sending
    would see its connection break, and not the answer that says why.
    """
    if "expect" in request.headers:
        return
    with anyio.move_on_after(_DISCARD_SECONDS):
        with contextlib.suppress(ClientDisconnect, RuntimeError):  # gone, or read to the end before
            async for _ in request.stream():
                pass


def unpacked(body: bytes, encoding: str, limits: BodyLimits) -> bytes:
    """The body without its Content-Encoding, `gzip` or none.

    Raises:
        BodyRefused: 413 if it unpacks to more than the limit, 400 if it is not gzip, 415 for
            another encoding.
    """
    encoding = encoding.strip().lower()
    if encoding in ("", "identity"):
        return body
    if encoding not in ("gzip", "x-gzip"):
        raise BodyRefused(415, f"Content-Encoding {encoding} is not supported, gzip is")
    stream = zlib.decompressobj(_GZIP_WBITS)
    try:
        data = stream.decompress(body, limits.max_bytes + 1)
    except zlib.error as error:
        raise BodyRefused(400, f"the body is not gzip: {error}") from None
    if len(data) > limits.max_bytes:
        raise _too_large(limits)
    if not stream.eof or stream.unused_data:
        raise BodyRefused(400, "the body is not one whole gzip stream")
    return data


def packed(answer: bytes, accepted: str) -> tuple[bytes, dict[str, str]]:
    """The answer and its headers: gzipped if the client accepts that and it pays."""
    if len(answer) < _GZIP_FROM_BYTES:
        return answer, {}
    headers = {"Vary": "Accept-Encoding"}
    if not _accepts_gzip(accepted):
        return answer, headers
    return gzip.compress(answer, _GZIP_LEVEL, mtime=0), headers | {"Content-Encoding": "gzip"}


def _accepts_gzip(accepted: str) -> bool:
    for entry in accepted.lower().split(","):
        coding, _, parameters = entry.partition(";")
        if coding.strip() in ("gzip", "x-gzip", "*"):
            return parameters.replace(" ", "") not in ("q=0", "q=0.0", "q=0.00", "q=0.000")
    return False


def _too_large(limits: BodyLimits) -> BodyRefused:
    return BodyRefused(413, f"the body is larger than {limits.max_bytes} bytes")
