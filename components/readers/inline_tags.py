"""tsv with tags: a sentence a row, its words in one column and as many tags in another."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from components.readers.delimited import header, tsv_records
from components.readers.opening import numbered_lines
from components.readers.rows import NUL, BadRow, Row, fault
from components.readers.tagged import Sentence, Tagged, to_row
from trainer.errors import BadInput

_Parsed = tuple[Sentence, dict[str, str]]  # the row's words and tags, all its columns


def inline_sentences(path: Path, tagged: Tagged) -> Iterator[Sentence | BadRow]:
    """Sentences of a file, a row each.

    Raises:
        BadInput: as ``delimited.header``; a header without rows.
    """
    for found in _parsed(path, tagged):
        yield found if isinstance(found, BadRow) else found[0]


def read_inline(
    path: Path, columns: Sequence[str] | None, tagged: Tagged
) -> Iterator[Row | BadRow]:
    """Rows with spans and the values of ``columns`` (default: all but the tags).

    Raises:
        BadInput: as ``inline_sentences``.
    """
    for found in _parsed(path, tagged):
        yield found if isinstance(found, BadRow) else _row(*found, str(path), columns, tagged)


def _row(
    sentence: Sentence,
    values: dict[str, str],
    file: str,
    columns: Sequence[str] | None,
    tagged: Tagged,
) -> Row | BadRow:
    row = to_row(sentence, file, tagged)
    if isinstance(row, BadRow):
        return row
    wanted = set(values if columns is None else columns) - {tagged.text, tagged.label}
    others = {name: value for name, value in values.items() if name in wanted}
    if reason := fault("".join(others.values())):
        return BadRow(file, row.line, reason)
    return row._replace(values=row.values | others)


def _parsed(path: Path, tagged: Tagged) -> Iterator[_Parsed | BadRow]:
    records = tsv_records(numbered_lines(path))
    names = header(path, records)
    line = 0
    for line, fields in records:
        if len(fields) != len(names):
            some = "1 field" if len(fields) == 1 else f"{len(fields)} fields"
            yield BadRow(str(path), line, f"{some}, the header has {len(names)}")
            continue
        values = dict(zip(names, fields, strict=True))
        words, tags = _cut(values[tagged.text]), _cut(values[tagged.label])
        if len(words) != len(tags):
            yield BadRow(str(path), line, f"{len(words)} words and {len(tags)} tags")
        else:
            yield Sentence(words, tags, line, 0), values
    if not line:
        raise BadInput("a header and no rows", where=str(path))


def _cut(text: str) -> list[bytes]:
    """What blanks separate, as the bytes of the file (the undoing of ``rows.decode``)."""
    raw = text.replace(NUL, "\0").encode("utf-8", "surrogateescape")
    return [part for part in raw.split(b" ") if part]
