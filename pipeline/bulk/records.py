"""What a format's file gives of a row, and how the row is written with its answer."""

import csv
import io
import json
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from itertools import chain, islice
from pathlib import Path
from typing import Any, NamedTuple

from components.readers.delimited import csv_records, header, read_delimited, tsv_records
from components.readers.jsonlines import json_object, jsonlines_columns, values_of
from components.readers.opening import numbered_lines, open_bytes
from components.readers.rows import BadRow, decode
from pipeline.bulk.columns import Answer
from pipeline.bulk.places import Place, placed
from trainer.errors import BadInput

_MARK = b"\xef\xbb\xbf"


class Record(NamedTuple):
    """A row: its texts by the model's name for them, and what is needed to write it again."""

    texts: Mapping[str, str | bytes]
    source: Any


class RowFormat(ABC):
    """A file of rows.

    Args:
        path: the file.
        texts: the model's name of a text ▶ the file's column.
        added: the columns of the answers.
    """

    def __init__(self, path: Path, texts: Mapping[str, str], added: Sequence[str]) -> None:
        self.path, self.texts, self.added = path, texts, added

    @abstractmethod
    def names(self) -> list[str]:
        """The columns that the file has, as far as its beginning tells."""

    @abstractmethod
    def places(self, every: int) -> Iterator[Place]:
        """Where the 1st, the (every + 1)th … row begins, and last the number of all rows."""

    @abstractmethod
    def records(self, place: Place, count: int) -> Iterator[Record | BadRow]:
        """The `count` rows from a place on."""

    @abstractmethod
    def head(self) -> bytes:
        """What stands before the rows of the output."""

    @abstractmethod
    def line(self, record: Record, answer: Answer) -> bytes:
        """The row with its answer."""

    def writer(self, path: Path) -> AbstractContextManager[Any]:
        """Takes such lines with `write`; such files stand one behind the other in the output."""
        return path.open("wb")


class Delimited(RowFormat):
    """csv and tsv: the answers are further fields, lists and objects as JSON."""

    def __init__(
        self, path: Path, texts: Mapping[str, str], added: Sequence[str], format: str
    ) -> None:
        super().__init__(path, texts, added)
        self._split = csv_records if format == "csv" else tsv_records
        self._joined = _csv_line if format == "csv" else self._tsv_line

    def names(self) -> list[str]:
        """The columns in the file."""
        return header(self.path, self._split(numbered_lines(self.path)))

    def places(self, every: int) -> Iterator[Place]:
        """As `RowFormat.places`, in one pass over the file."""
        lines = placed(numbered_lines(self.path), _mark_of(self.path))
        records = self._split(lines)
        next(records, None)
        return lines.starts((line for line, _ in records), every)

    def records(self, place: Place, count: int) -> Iterator[Record | BadRow]:
        """As `RowFormat.records`, reached by a seek."""
        under = self._split(numbered_lines(self.path, place.offset, place.line))
        found: Any = chain([(1, self.names())], islice(under, count))
        for row in read_delimited(self.path, found, None):
            if isinstance(row, BadRow):
                yield row
            else:
                texts = {name: row.values[column] for name, column in self.texts.items()}
                yield Record(texts, list(row.values.values()))

    def head(self) -> bytes:
        """As `RowFormat.head`."""
        return self._joined([*self.names(), *self.added]).encode()

    def line(self, record: Record, answer: Answer) -> bytes:
        """As `RowFormat.line`."""
        return self._joined([*record.source, *map(_plain, answer.values())]).encode()

    def _tsv_line(self, fields: Sequence[str]) -> str:
        for field in fields:
            if not {"\t", "\n", "\r"}.isdisjoint(field):
                raise BadInput(
                    f"the answer {field[:40]!r} has a tab or a line end, which tsv cannot hold",
                    where=str(self.path),
                    fix="Give the rows as csv or jsonl.",
                )
        return "\t".join(fields) + "\n"


class JsonLines(RowFormat):
    """jsonl: the answers are further keys; what stood on the line stays as it was, byte by byte."""

    def names(self) -> list[str]:
        """The columns in the file."""
        return jsonlines_columns(self.path)

    def places(self, every: int) -> Iterator[Place]:
        """As `RowFormat.places`, in one pass over the file."""
        lines = placed(numbered_lines(self.path), _mark_of(self.path))
        return lines.starts((number for number, raw in lines if not raw.isspace()), every)

    def records(self, place: Place, count: int) -> Iterator[Record | BadRow]:
        """As `RowFormat.records`, reached by a seek."""
        lines = numbered_lines(self.path, place.offset, place.line)
        for number, raw in islice((one for one in lines if not one[1].isspace()), count):
            record = self._record(decode(raw).strip())
            yield BadRow(str(self.path), number, record) if isinstance(record, str) else record

    def _record(self, line: str) -> Record | str:
        found = json_object(line)
        if isinstance(found, str):
            return found
        values = values_of(found, list(self.texts.values()))
        if isinstance(values, str):
            return values
        if taken := next((column for column in self.added if column in found), None):
            return f"has `{taken}` already"
        for column in self.texts.values():
            if column not in values:
                return f"no `{column}`"
        texts = {name: values[column] for name, column in self.texts.items()}
        return Record(texts, line)

    def head(self) -> bytes:
        """As `RowFormat.head`."""
        return b""

    def line(self, record: Record, answer: Answer) -> bytes:
        """As `RowFormat.line`."""
        added = json.dumps(answer, ensure_ascii=False, default=_readable)
        stem = record.source[:-1].rstrip()
        joined = f"{stem}{'' if stem == '{' else ', '}{added[1:]}\n"
        return joined.encode("utf-8", "surrogateescape")


def _csv_line(fields: Sequence[str]) -> str:
    line = io.StringIO()
    # With this ending the writer quotes lone carriage returns, too.
    csv.writer(line, lineterminator="\r\n").writerow(fields)
    return line.getvalue()[:-2] + "\n"


def _plain(value: Any) -> str:
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False, default=_readable)


def _readable(value: bytes) -> str:
    return value.decode("utf-8", "backslashreplace")


def _mark_of(path: Path) -> int:
    """Bytes of the byte-order mark, which `numbered_lines` leaves out."""
    with open_bytes(path) as stream:
        return len(_MARK) if stream.read(len(_MARK)) == _MARK else 0
