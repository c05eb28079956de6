"""Files as numbered lines of bytes, unpacked on the way, never whole in memory."""

import bz2
import codecs
import gzip
import io
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from trainer.errors import BadInput

MAX_LINE = 1 << 24  # bytes; a line beyond it is no text but a file of another kind
_PACKED: dict[str, Callable[..., Any]] = {".gz": gzip.open, ".bz2": bz2.open}
_UNPACK = {".gz": "gzip -dc", ".bz2": "bzip2 -dc"}


@contextmanager
def open_bytes(path: Path) -> Iterator[BinaryIO]:
    """Opens a plain, .gz or .bz2 file.

    Raises:
        BadInput: no such file, or a packed file that is cut short or damaged.
        OSError: the machine's faults (permission, a failing disk).
    """
    opener: Callable[..., Any] = _PACKED.get(path.suffix.lower(), open)
    try:
        with opener(path, "rb") as stream:
            # The packed files' own readline is Python; this one is C, and twice as fast.
            yield io.BufferedReader(stream) if path.suffix.lower() in _PACKED else stream
    except FileNotFoundError:
        raise BadInput("there is no such file", where=str(path)) from None
    except (EOFError, zlib.error, OSError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        raise BadInput(
            f"cut short or not {path.suffix} at all ({error})",
            where=str(path),
            fix="Get the file again.",
        ) from error


def numbered_lines(path: Path, offset: int = 0, first: int = 1) -> Iterator[tuple[int, bytes]]:
    """Yields (line number from 1, bytes with the line's end), without a UTF-8 byte-order mark.

    Args:
        path: plain or packed.
        offset: bytes, unpacked, to leave out.
        first: number of the line that begins there.

    Raises:
        BadInput: UTF-16 or UTF-32, or a line of more than ``MAX_LINE`` bytes.
    """
    with open_bytes(path) as stream:
        if offset:
            stream.seek(offset)
        number = first - 1
        while raw := stream.readline(MAX_LINE + 1):
            number += 1
            if len(raw) > MAX_LINE:
                raise BadInput("a line of over 16 MiB", where=f"{path}:{number}")
            yield number, _without_mark(raw, path) if number == 1 else raw


def _without_mark(raw: bytes, path: Path) -> bytes:
    if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) or b"\0" in raw[:4]:
        raise not_utf8(path, 1, "UTF-16")
    return raw.removeprefix(codecs.BOM_UTF8)


def not_utf8(path: Path | str, line: int, encoding: str = "WINDOWS-1252") -> BadInput:
    """The error for a file in another encoding, with the command that mends it."""
    path = Path(path)
    plain = path.with_suffix("") if path.suffix in _UNPACK else path
    target = f"{plain.with_suffix('')}.utf8{plain.suffix}"
    unpack = f"{_UNPACK[path.suffix]} {path} | " if path.suffix in _UNPACK else ""
    source = "" if unpack else f" {path}"
    sure = "" if encoding == "UTF-16" else f" (if it is {encoding}; else name its encoding)"
    return BadInput(
        "the file is not UTF-8",
        where=f"{path}:{line}",
        fix=f"Convert it: {unpack}iconv -f {encoding} -t UTF-8{source} > {target}{sure}",
    )
