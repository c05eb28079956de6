"""conll: a word a line in columns, a blank line after each sentence.

Columns are separated by tabs if the first word's line has one, else by blanks. Nothing else
separates: an ideographic space is a word of its own in Chinese corpora. Lines that hold no word:

* blank ones, which end a sentence, blanks and tabs on them or not;
* marks of documents, ``-DOCSTART- -X- -X- O``, which end one, too;
* comments before a sentence's first word: they begin with ``#`` and cannot be a word's line, for
  their columns are not as many as the file's or the last thing on them is no tag. So ``# O`` is a
  word, ``# id = 7`` is not, and a ``#`` without a tag inside a sentence is an error.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from components.readers.opening import numbered_lines
from components.readers.rows import BadRow, decode
from components.readers.schemes import parse
from components.readers.tagged import Sentence, Tagged
from trainer.errors import BadInput

MAX_WORDS = 100_000  # of a sentence; beyond it the blank lines are missing
_HASH = ord("#")
_DOCUMENT = b"-DOCSTART-"
_COLUMNS = "Say which with `data.columns: {word: 0, tag: -1}`; columns count from 0."


class Shape(NamedTuple):
    """How a file's lines are made."""

    separator: bytes | None  # None: blanks
    columns: int
    line: int  # the first with a word, which showed it


def sentences(path: Path, tagged: Tagged) -> Iterator[Sentence | BadRow]:
    """Sentences of a file; one with a line of other columns is a bad row.

    Raises:
        BadInput: a file without words or without the columns, or a sentence of over 100,000 words.
    """
    shape, file, number = shape_of(path, tagged), str(path), 0
    separator, columns, _ = shape
    at_word, at_tag = tagged.word, tagged.tag
    words: list[bytes] = []
    tags: list[bytes] = []
    bad: BadRow | None = None
    for number, raw in numbered_lines(path):
        line = raw.rstrip()
        if not line or line.startswith(_DOCUMENT):
            if words or bad:
                yield bad or Sentence(words, tags, number - len(words), 1)
                words, tags, bad = [], [], None
            continue
        fields = line.split(separator)
        if len(fields) == columns and (word := fields[at_word].strip()):
            if words or line[0] != _HASH or _is_tag(fields[at_tag]):
                words.append(word)
                tags.append(fields[at_tag].strip())
        elif words or bad or line[0] != _HASH:
            bad = bad or BadRow(file, number, _reason(len(fields), shape))
        if len(words) > MAX_WORDS:
            raise _endless(file, number)
    if words or bad:
        yield bad or Sentence(words, tags, number + 1 - len(words), 1)


def _is_tag(field: bytes) -> bool:
    try:
        parse(decode(field.strip()))
    except ValueError:
        return False
    return True


def _reason(found: int, shape: Shape) -> str:
    if found == shape.columns:
        return "an empty word"
    some = "1 column" if found == 1 else f"{found} columns"
    return f"{some}, the first word's line ({shape.line}) has {shape.columns}"


def _endless(file: str, line: int) -> BadInput:
    return BadInput(
        f"a sentence of over {MAX_WORDS:,} words",
        where=f"{file}:{line}",
        fix="Put a blank line after each sentence.",
    )


def shape_of(path: Path, tagged: Tagged) -> Shape:
    """The separator and the columns, from the first line that holds a word.

    Raises:
        BadInput: no such line, or one without the columns that are asked for.
    """
    line, number = _first(path)
    if not number:
        raise BadInput("no line of it has a word", where=str(path))
    separator = b"\t" if b"\t" in line else None
    columns = len(line.split(separator))
    where = f"{path}:{number}"
    if b"\r" in line:
        raise BadInput(
            "its lines end in a carriage return alone",
            where=where,
            fix="Convert it: tr '\\r' '\\n'.",
        )
    for name, column in (("word", tagged.word), ("tag", tagged.tag)):
        if not -columns <= column < columns:
            raise BadInput(
                f"no column {column} for the {name}: there are {columns}", where=where, fix=_COLUMNS
            )
    if tagged.word % columns == tagged.tag % columns:
        some = "one column only" if columns == 1 else f"column {tagged.word} for word and tag"
        raise BadInput(f"{some}, and a word needs a tag", where=where, fix=_COLUMNS)
    return Shape(separator, columns, number)


def _first(path: Path) -> tuple[bytes, int]:
    """The first line that is no comment for sure and its number; (b"", 0) where there is none."""
    doubtful = (b"", 0)
    for number, raw in numbered_lines(path):
        line = raw.rstrip()
        if line and not line.startswith(_DOCUMENT):
            if not line.startswith(b"#"):
                return line, number
            doubtful = doubtful if doubtful[1] else (line, number)
    return doubtful
