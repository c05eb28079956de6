"""Which format a file of rows has, and the check of its columns."""

import difflib
from collections.abc import Mapping, Sequence
from pathlib import Path

from components.readers.find import format_of
from pipeline.bulk.records import Delimited, JsonLines, RowFormat
from trainer.errors import BadInput

FORMATS = ("csv", "tsv", "jsonl", "tfrecord")
_RECORDS = (".tfrecord", ".tfrecords", ".tfr")
_PACKED = (".gz", ".bz2")


def bulk_format(path: Path, given: str | None = None) -> str:
    """The format that is given, else the one of the file's extension.

    Raises:
        BadInput: neither is one of `FORMATS`.
    """
    plain = path.with_suffix("") if path.suffix.lower() in _PACKED else path
    if given is None and plain.suffix.lower() in _RECORDS:
        return "tfrecord"
    found = given if given in FORMATS else format_of(path, given)
    if found not in FORMATS:
        raise BadInput(
            f"{found} has no place for answers",
            where=str(path),
            fix=f"Formats that have: {', '.join(FORMATS)}. Texts by line: `rawbert predict -f F`.",
        )
    return found


def row_format(
    path: Path, format: str, texts: Mapping[str, str], added: Sequence[str]
) -> RowFormat:
    """The reader and writer of a file's rows."""
    if format == "tfrecord":
        from pipeline.bulk.tfrecords import TfRecords

        return TfRecords(path, texts, added)
    if format == "jsonl":
        return JsonLines(path, texts, added)
    return Delimited(path, texts, added, format)


def check_columns(rows: RowFormat) -> None:
    """Whether a file has the texts and room for the answers, as far as its beginning tells.

    Raises:
        BadInput: a text column is missing; a column has the name of an answer's.
    """
    names = rows.names()
    for column in rows.texts.values():
        if column not in names:
            near = difflib.get_close_matches(column, names, n=1, cutoff=0.5)
            raise BadInput(
                f"no column {column!r}; there are {', '.join(map(repr, names))}",
                where=str(rows.path),
                fix=f"Say which holds the text: --text {near[0] if near else 'COLUMN'}.",
            )
    for column in rows.added:
        if column in names:
            raise BadInput(
                f"there is a column {column!r} already, and an answer would be called so",
                where=str(rows.path),
                fix=f"Rename it (to {'old_' + column!r}, say), or leave it out.",
            )
