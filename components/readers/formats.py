"""One door to all formats: ``read``, ``columns``, ``require``."""

import difflib
from collections.abc import Iterator, Sequence
from pathlib import Path

from components.readers.delimited import csv_records, header, read_delimited, tsv_records
from components.readers.find import format_of
from components.readers.folders import COLUMNS, read_text
from components.readers.jsonlines import jsonlines_columns, read_jsonlines
from components.readers.rows import BadRow, Row
from trainer.errors import BadInput


def read(
    path: str | Path, format: str | None = None, columns: Sequence[str] | None = None
) -> Iterator[Row | BadRow]:
    """Streams a file's rows; memory does not grow with the file.

    Args:
        path: one file, .gz and .bz2 unpacked on the way.
        format: one of ``FORMATS``; by default the extension tells.
        columns: the columns to give; by default all.

    Yields:
        ``Row(values, file, line)`` with the line where the row begins, or
        ``BadRow(file, line, reason)`` where there is none to be had.

    Raises:
        BadInput: the file as a whole cannot be used (absent, empty, header only, UTF-16,
            unknown format, missing column).
    """
    path = Path(path)
    found = format_of(path, format)
    if columns is not None:
        require(path, columns, format)
    if found == "csv":
        return read_delimited(path, csv_records(path), columns)
    if found == "tsv":
        return read_delimited(path, tsv_records(path), columns)
    return read_jsonlines(path, columns) if found == "jsonl" else read_text(path, columns)


def columns(path: str | Path, format: str | None = None) -> list[str]:
    """Names of a file's columns, from its beginning (jsonl: keys of its first 1,000 lines)."""
    path = Path(path)
    found = format_of(path, format)
    if found == "txt":
        return list(COLUMNS)
    if found == "jsonl":
        return jsonlines_columns(path)
    return header(path, csv_records(path) if found == "csv" else tsv_records(path))


def require(path: str | Path, wanted: Sequence[str], format: str | None = None) -> None:
    """Checks that a file has the columns.

    Raises:
        BadInput: one is missing; says which there are and which comes nearest.
    """
    there = columns(path, format)
    for name in wanted:
        if name not in there:
            near = difflib.get_close_matches(name, there, n=1, cutoff=0.5)
            raise BadInput(
                f"no column {name!r}; there are {', '.join(map(repr, there))}.",
                where=str(path),
                fix=f"Did you mean {near[0]!r}?" if near else "",
            )
