"""csv (RFC 4180) and tsv (no quoting: a double quote is an ordinary character)."""

import csv
from collections import deque
from collections.abc import Iterator, Sequence
from pathlib import Path

from components.readers.opening import MAX_LINE, not_utf8
from components.readers.rows import NOT_UTF8, BadRow, Row, decode, fault
from trainer.errors import BadInput

MAX_RECORD = 1 << 22  # bytes of a csv record over several lines; beyond it a quote is unclosed
csv.field_size_limit(MAX_LINE)  # Python's own limit, 128 KiB, is below texts that we take

Record = tuple[int, list[str] | str]  # line ▶ fields, or why there are none


class _Lines(Iterator[str]):
    """Lines for one csv record at a time, with a way back to the line after its first."""

    def __init__(self, lines: Iterator[tuple[int, bytes]]):
        self._lines = lines
        self._again: deque[tuple[int, bytes]] = deque()
        self._taken: list[tuple[int, bytes]] = []
        self._bytes = 0

    @property
    def first(self) -> int:
        return self._taken[0][0]

    def begin(self) -> None:
        self._taken, self._bytes = [], 0

    def rewind(self) -> None:
        self._again.extendleft(reversed(self._taken[1:]))

    def __next__(self) -> str:
        number, raw = self._again.popleft() if self._again else next(self._lines)
        self._taken.append((number, raw))
        self._bytes += len(raw)
        if len(self._taken) > 1 and self._bytes > MAX_RECORD:
            raise csv.Error("unexpected end of data")
        return decode(raw)


def csv_records(numbered: Iterator[tuple[int, bytes]]) -> Iterator[Record]:
    """Records of a csv file's lines, the header among them; blank lines are no records.

    A quote that nothing closes costs its own line: reading goes on at the next one.
    """
    lines = _Lines(numbered)
    while True:
        lines.begin()
        try:
            fields = next(csv.reader(lines, strict=True))
        except StopIteration:
            return
        except csv.Error as error:
            yield lines.first, _csv_reason(str(error))
            lines.rewind()
            continue
        if fields:
            yield lines.first, fields


def _csv_reason(error: str) -> str:
    if "unexpected end of data" in error:
        return "a quote is opened and never closed"
    if "expected after" in error:
        return "a quoted field goes on after its closing quote"
    if "new-line" in error:
        return "a carriage return inside a field without quotes"
    return error


def tsv_records(numbered: Iterator[tuple[int, bytes]]) -> Iterator[Record]:
    """Records of a tab-separated file's lines; blank lines are no records."""
    for number, raw in numbered:
        line = decode(raw).rstrip("\r\n")
        if line:
            yield number, line.split("\t")


def header(path: Path, records: Iterator[Record]) -> list[str]:
    """Takes the column names off ``records``.

    Raises:
        BadInput: an empty file, a header that is not UTF-8, unreadable or names a column twice.
    """
    line, names = next(records, (0, ""))
    where = f"{path}:{line}"
    if not line:
        raise BadInput("the file is empty", where=str(path))
    if isinstance(names, str):
        raise BadInput(f"the header cannot be read: {names}", where=where)
    if reason := fault("".join(names)):
        if reason.startswith(NOT_UTF8):
            raise not_utf8(path, line)
        raise BadInput(f"the header has {reason}", where=where, fix="Is it a text file?")
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise BadInput(f"two columns are called {twice[0]!r}", where=where, fix="Rename one.")
    return names


def read_delimited(
    path: Path, records: Iterator[Record], columns: Sequence[str] | None
) -> Iterator[Row | BadRow]:
    """Rows under the header, with the values of ``columns`` (default: all).

    Raises:
        BadInput: as ``header``; a header without rows.
    """
    names = header(path, records)
    wanted = [(names.index(name), name) for name in (names if columns is None else columns)]
    file, line = str(path), 0
    for line, fields in records:
        reason = fields if isinstance(fields, str) else _reason(fields, len(names))
        if reason:
            yield BadRow(file, line, reason)
        else:
            yield Row({name: fields[index] for index, name in wanted}, file, line)
    if not line:
        raise BadInput("a header and no rows", where=file)


def _reason(fields: list[str], expected: int) -> str:
    if len(fields) != expected:
        some = "1 field" if len(fields) == 1 else f"{len(fields)} fields"
        return f"{some}, the header has {expected}"
    return fault("".join(fields))
