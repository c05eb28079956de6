"""What a reader yields: a row, or the reason why there is none."""

from typing import NamedTuple

NUL = "\udc00"  # stands for a NUL byte while a row is parsed; decoding never makes it
NOT_UTF8 = "not valid UTF-8"


class Spans(NamedTuple):
    """Entities of a text and, where the source gives them, its words: UTF-8 byte offsets.

    Ends are exclusive; spans are sorted, do not overlap and are not empty.
    """

    starts: list[int]
    ends: list[int]
    types: list[str]
    word_starts: list[int] = []
    word_ends: list[int] = []
    repaired: int = 0  # places where the tags broke their scheme and were read all the same


class Row(NamedTuple):
    """One row: column ▶ text, and the line of the file where the row begins (from 1)."""

    values: dict[str, str]
    file: str
    line: int
    spans: Spans | None = None  # None: the data is not tagged


class BadRow(NamedTuple):
    """A row that cannot be read, with its place and why."""

    file: str
    line: int
    reason: str


def decode(raw: bytes) -> str:
    """Text of a line; bytes that are no UTF-8 and NULs become lone surrogates (PEP 383).

    Parsing goes on with them in place, so that one bad byte costs one row and not the file.
    """
    return raw.decode("utf-8", "surrogateescape").replace("\0", NUL)


def fault(text: str) -> str:
    """Why ``text`` may not become a feature; empty if it may."""
    if "\0" in text or NUL in text:
        return "a NUL character"
    try:
        text.encode()
    except UnicodeEncodeError as error:
        code = ord(text[error.start])
        escaped = 0xDC80 <= code <= 0xDCFF
        return f"{NOT_UTF8} (byte 0x{code - 0xDC00:02x})" if escaped else "a lone surrogate"
    return ""
