"""One door to all formats: ``read``, ``columns``, ``require``, with tags and without."""

import difflib
from collections.abc import Iterator, Sequence
from pathlib import Path

from components.readers.character_spans import read_character_spans
from components.readers.conll import sentences, shape_of
from components.readers.delimited import csv_records, header, read_delimited, tsv_records
from components.readers.find import format_of
from components.readers.folders import COLUMNS, read_text
from components.readers.inline_tags import inline_sentences, read_inline
from components.readers.jsonlines import jsonlines_columns, read_jsonlines
from components.readers.opening import numbered_lines
from components.readers.rows import BadRow, Row
from components.readers.tagged import Sentence, Tagged, to_row
from trainer.errors import BadInput

TAGGED_FORMATS = ("conll", "jsonl", "tsv")


def read(
    path: str | Path,
    format: str | None = None,
    columns: Sequence[str] | None = None,
    tagged: Tagged | None = None,
) -> Iterator[Row | BadRow]:
    """Streams a file's rows; memory does not grow with the file.

    Args:
        path: one file, .gz and .bz2 unpacked on the way.
        format: one of ``FORMATS``; by default the extension tells.
        columns: the columns to give; by default all.
        tagged: where the entities are; without it rows have no spans.

    Yields:
        ``Row(values, file, line, spans)`` with the line where the row begins, or
        ``BadRow(file, line, reason)`` where there is none to be had.

    Raises:
        BadInput: the file as a whole cannot be used (absent, empty, header only, UTF-16,
            unknown format, missing column, a format that holds no tags or nothing but tags).
    """
    path = Path(path)
    found = _fitting(path, format, tagged)
    if columns is not None or tagged:
        require(path, columns or (), format, tagged)
    if tagged:
        return _read_tagged(path, found, columns, tagged)
    if found == "csv":
        return read_delimited(path, csv_records(numbered_lines(path)), columns)
    if found == "tsv":
        return read_delimited(path, tsv_records(numbered_lines(path)), columns)
    return read_jsonlines(path, columns) if found == "jsonl" else read_text(path, columns)


def _read_tagged(
    path: Path, format: str, columns: Sequence[str] | None, tagged: Tagged
) -> Iterator[Row | BadRow]:
    if format == "tsv":
        return read_inline(path, columns, tagged)
    if format == "jsonl":
        return read_character_spans(path, columns, tagged)
    file = str(path)
    return (
        found if isinstance(found, BadRow) else to_row(found, file, tagged)
        for found in sentences(path, tagged)
    )


def tagged_sentences(
    path: str | Path, format: str | None, tagged: Tagged
) -> Iterator[Sentence | BadRow]:
    """Sentences with their tags as they are in the file; none where it holds spans, not tags.

    Raises:
        BadInput: as ``read``.
    """
    path = Path(path)
    found = _fitting(path, format, tagged)
    require(path, (), format, tagged)
    if found == "conll":
        return sentences(path, tagged)
    return inline_sentences(path, tagged) if found == "tsv" else iter(())


def columns(path: str | Path, format: str | None = None, tagged: Tagged | None = None) -> list[str]:
    """Names of a file's columns, from its beginning (jsonl: keys of its first 1,000 lines)."""
    path = Path(path)
    found = _fitting(path, format, tagged)
    if tagged and found == "conll":
        shape_of(path, tagged)
        return [tagged.text]
    if found == "txt":
        return list(COLUMNS)
    if found == "jsonl":
        return jsonlines_columns(path)
    split = csv_records if found == "csv" else tsv_records
    return header(path, split(numbered_lines(path)))


def _fitting(path: Path, format: str | None, tagged: Tagged | None) -> str:
    """The file's format, if it is one for the task."""
    found = format_of(path, format)
    if tagged and found not in TAGGED_FORMATS:
        raise BadInput(
            f"{found} is no format for `task: tag`",
            where=str(path),
            fix=f"Formats that are: {', '.join(TAGGED_FORMATS)}. "
            "For words and tags in columns write `format: conll`.",
        )
    if not tagged and found == "conll":
        raise BadInput(
            "conll is a format for `task: tag` only", where=str(path), fix="Write `task: tag`."
        )
    return found


def require(
    path: str | Path,
    wanted: Sequence[str],
    format: str | None = None,
    tagged: Tagged | None = None,
) -> None:
    """Checks that a file has the columns, and those that ``tagged`` names.

    Raises:
        BadInput: one is missing; says which there are and which comes nearest.
    """
    there = columns(path, format, tagged)
    if tagged:
        entities = [tagged.label] if format_of(Path(path), format) != "conll" else []
        wanted = [tagged.text, *entities, *wanted]
    for name in wanted:
        if name not in there:
            near = difflib.get_close_matches(name, there, n=1, cutoff=0.5)
            raise BadInput(
                f"no column {name!r}; there are {', '.join(map(repr, there))}.",
                where=str(path),
                fix=f"Did you mean {near[0]!r}?" if near else "",
            )
