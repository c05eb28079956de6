"""Tag schemes: what is legal in each, tags to spans of words and back.

iob2   an entity begins with B and goes on with I
iob1   I throughout; B only where an entity directly follows another of its type
bioes  B, I … I, E; S is an entity of one word
bmeos  the same with M for I (also written BMES)

IOB1 is Ramshaw and Marcus, "Text Chunking using Transformation-Based Learning", 1995; IOB2 and
the rest are compared in Tjong Kim Sang and Veenstra, "Representing Text Chunks", 1999.

A place outside all sentences counts as O: what may begin or end a sentence is what may follow or
precede an O. So legality is a matter of two neighbours, in all four schemes.
"""

from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

from components.readers.rows import fault

SCHEMES = ("iob2", "iob1", "bioes", "bmeos")
_INSIDE = {"bioes": "I", "bmeos": "M"}
_PREFIXES = {"iob2": "OBI", "iob1": "OBI", "bioes": "OBIES", "bmeos": "OBMES"}
_EXAMPLE = "Tags are O, B-PER, I-PER and so on."


class Tag(NamedTuple):
    """A tag in its two parts; O has no type."""

    prefix: str
    type: str


class Span(NamedTuple):
    """Words ``start`` to ``end`` (exclusive) are an entity of ``type``."""

    start: int
    end: int
    type: str


class Fault(NamedTuple):
    """A word whose tag is no tag, or not legal after the one before it."""

    word: int
    reason: str


@lru_cache(maxsize=1 << 14)
def parse(tag: str) -> Tag:
    """Takes a tag apart: ``parse("B-creative-work") == ("B", "creative-work")``.

    Raises:
        ValueError: no prefix, an unknown one, no type after it, or one that is no UTF-8.
    """
    prefix, dash, kind = tag.partition("-")
    if tag == "O":
        return Tag("O", "")
    if not dash:
        raise ValueError(f"tag {tag!r} has no prefix. {_EXAMPLE}")
    if prefix not in ("B", "I", "E", "S", "M"):
        raise ValueError(f"tag {tag!r} has the unknown prefix {prefix!r}. {_EXAMPLE}")
    if not kind.strip():
        raise ValueError(f"tag {tag!r} names no type. {_EXAMPLE}")
    if reason := fault(kind):
        raise ValueError(reason)
    return Tag(prefix, kind)


def unreadable(tags: Sequence[str]) -> Fault | None:
    """The first word whose tag is none in any scheme."""
    for tag in dict.fromkeys(tags):
        try:
            parse(tag)
        except ValueError as error:
            return Fault(tags.index(tag), str(error))
    return None


def faults(tags: Sequence[str], scheme: str) -> list[Fault]:
    """The words at which readable tags break a scheme.

    ``faults(["O", "I-PER"], "iob2") == [(1, "I-PER after O is not iob2")]``
    """
    pairs = list(pairwise(["O", *tags, "O"]))
    if all(is_legal(scheme, *pair) for pair in set(pairs)):
        return []
    last = len(tags) - 1
    return [
        Fault(min(index, last), _reason(pair, index, last, scheme))
        for index, pair in enumerate(pairs)
        if not is_legal(scheme, *pair)
    ]


def _reason(pair: tuple[str, str], index: int, last: int, scheme: str) -> str:
    if index > last:
        return f"{pair[0]} at the end is not {scheme}"
    place = f"after {pair[0]}" if index else "at the beginning"
    return f"{pair[1]} {place} is not {scheme}"


@lru_cache(maxsize=1 << 16)
def is_legal(scheme: str, before: str, tag: str) -> bool:
    """Whether ``tag`` may directly follow ``before``; False where either is no tag."""
    try:
        first, second = parse(before), parse(tag)
    except ValueError:
        return False
    known = _PREFIXES[scheme]
    if first.prefix not in known or second.prefix not in known:
        return False
    goes_on = first.prefix in "BI" and first.type == second.type
    if scheme == "iob2":
        return second.prefix != "I" or goes_on
    if scheme == "iob1":
        return second.prefix != "B" or goes_on
    inside = _INSIDE[scheme]
    if first.prefix in ("B", inside):
        return second.prefix in (inside, "E") and first.type == second.type
    return second.prefix in "OBS"


@lru_cache(maxsize=1 << 16)
def begins(before: str, tag: str) -> bool:
    """Whether an entity begins at ``tag``, whatever the scheme; what is no tag is one of its own.

    B and S begin one, and so does any tag after O, after E or S, or after another type. On legal
    sequences that is every scheme's own reading; on others it is the repair.
    """
    try:
        first, second = parse(before), parse(tag)
    except ValueError:
        return True
    if second.prefix == "O":
        return False
    return second.prefix in "BS" or first.prefix in "OES" or first.type != second.type


def to_spans(tags: Sequence[str]) -> list[Span]:
    """Entities of readable tags, in order; see ``begins`` for how illegal ones are read.

    ``to_spans(["B-PER", "I-PER", "O", "S-LOC"]) == [(0, 2, "PER"), (3, 4, "LOC")]``
    """
    spans, start, before = [], -1, "O"
    for index, tag in enumerate([*tags, "O"]):
        if tag == before == "O":
            continue
        fresh = begins(before, tag)
        if start >= 0 and (fresh or tag == "O"):
            spans.append(Span(start, index, parse(before).type))
            start = -1
        if fresh:
            start = index
        before = tag
    return spans


def to_tags(spans: Sequence[Span], length: int, scheme: str) -> list[str]:
    """Tags of ``length`` words in a scheme.

    Raises:
        ValueError: spans that are empty, out of order, overlapping or beyond ``length``.
    """
    tags, end, kind = ["O"] * length, 0, ""
    for span in spans:
        if not end <= span.start < span.end <= length:
            raise ValueError(f"{span} is empty, overlaps the one before or leaves {length} words")
        touches = end > 0 and span.start == end and span.type == kind
        prefixes = _spelled(span.end - span.start, scheme, touches)
        tags[span.start : span.end] = [f"{prefix}-{span.type}" for prefix in prefixes]
        end, kind = span.end, span.type
    return tags


def _spelled(words: int, scheme: str, touches: bool) -> str:
    """Prefixes of an entity, one a word; ``touches``: directly after one of its type."""
    if scheme == "iob2":
        return "B" + "I" * (words - 1)
    if scheme == "iob1":
        return ("B" if touches else "I") + "I" * (words - 1)
    return "S" if words == 1 else "B" + _INSIDE[scheme] * (words - 2) + "E"


def convert(tags: Sequence[str], scheme: str, target: str) -> list[str]:
    """The same entities in another scheme.

    Raises:
        ValueError: tags that are not legal in ``scheme``.
    """
    if fault := unreadable(tags) or next(iter(faults(tags, scheme)), None):
        raise ValueError(f"word {fault.word}: {fault.reason}")
    return to_tags(to_spans(tags), len(tags), target)
