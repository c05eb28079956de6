"""What a tagger's outputs have to agree with: each other, and the text that was sent."""

import re
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from serving.rows import rows
from serving.validation.interview import Arrays
from serving.validation.report import Finding

CHECK = "entities"

_EDGES = ("starts", "ends", "char_starts", "char_ends")
_TOKENS = ("tokens", "tags", *_EDGES)
_ENTITIES = ("entities", "entity_types", "entity_scores", *(f"entity_{edge}" for edge in _EDGES))
_PADS = {"O": b"", "i": -1, "f": 0.0}  # by the kind of an array's dtype
_TAG = re.compile(r"O|[BI]-.+", re.DOTALL)
# Noncharacters may be quoted as U+FFFD: TensorFlow cannot write them.
_NONCHARACTERS = [*range(0xFDD0, 0xFDF0)]
_NONCHARACTERS += [plane << 16 | low for plane in range(17) for low in (0xFFFE, 0xFFFF)]
_QUOTABLE = dict.fromkeys(_NONCHARACTERS, "\N{REPLACEMENT CHARACTER}")

Row = dict[str, Any]


def tagged(outputs: Arrays, names: Sequence[str], texts: Sequence[bytes]) -> list[Finding]:
    """Findings where tokens, tags, entities and offsets contradict each other or the text.

    Args:
        outputs: of `serving_default`, padded.
        names: of the texts.
        texts: what was sent.
    """
    shapes = [*_shapes(outputs, _TOKENS, "n_tokens"), *_shapes(outputs, _ENTITIES, "n_entities")]
    if shapes:
        return [Finding(CHECK, problem, "serving_default") for problem in shapes]
    found = [
        f"{problem} for {name}"
        for row, name in enumerate(names)
        for problem in (*_pads(outputs, row, _TOKENS, "n_tokens"),
                        *_pads(outputs, row, _ENTITIES, "n_entities"))
    ]  # fmt: skip
    found += [
        f"{problem} for {name}"
        for name, text, row in zip(names, texts, rows(outputs), strict=True)
        for problem in contradictions(row, text)
    ]
    return [Finding(CHECK, problem, "serving_default") for problem in found]


def _shapes(outputs: Arrays, family: Sequence[str], count: str) -> Iterator[str]:
    """Outputs of a family that are not all [batch, n], n at least 1, and counts out of range."""
    shapes = {name: list(outputs[name].shape) for name in family}
    first = shapes[family[0]]
    if any(shape != first for shape in shapes.values()) or len(first) != 2 or first[1] < 1:
        said = ", ".join(f"{name} {shape}" for name, shape in shapes.items())
        yield f"{said} are not all [batch, n] with n at least 1"
    elif outputs[count].ndim != 1:
        yield f"{count} has shape {list(outputs[count].shape)} instead of [batch]"
    elif ((outputs[count] < 0) | (outputs[count] > first[1])).any():
        yield f"{count} is not between 0 and the width {first[1]}"


def _pads(outputs: Arrays, row: int, family: Sequence[str], count: str) -> Iterator[str]:
    real = int(outputs[count][row])
    for name in family:
        pad = _PADS[outputs[name].dtype.kind]
        if any(value != pad for value in outputs[name][row, real:].tolist()):
            yield f"{name} is not padded with {pad!r} after {count}"


def contradictions(row: Row, text: bytes) -> list[str]:
    """What is wrong with the answer to one text, in sentences.

    Args:
        row: the answer, cut by `n_tokens` and `n_entities`.
        text: what was sent.
    """
    found = []
    for what, prefix in (("tokens", ""), ("entities", "entity_")):
        edges = _Edges(*(row[prefix + edge] for edge in _EDGES))
        found += _misplaced(what, edges, text) or _misquoted(what, row[what], edges, text)
    illegal = _illegal(row["tags"])
    if illegal:
        return [*found, illegal]
    if row["dropped_tokens"] == 0:
        found += _uncovered(row, text)
    if _expected(row) != _given(row):
        found.append(f"entities are not those of the tags: {_given(row)[:3]}")
    if not all(0 <= score <= 1 for score in row["entity_scores"]):
        found.append("entity_scores are not between 0 and 1")
    return found


class _Edges(NamedTuple):
    starts: list[int]
    ends: list[int]
    char_starts: list[int]
    char_ends: list[int]


def _misplaced(what: str, edges: _Edges, text: bytes) -> list[str]:
    """Spans that are empty, overlap, are out of order or leave the text."""
    reached = 0
    for start, end in zip(edges.starts, edges.ends, strict=True):
        if start < reached:
            return [f"{what} overlap or are out of order at byte {start}"]
        if not start < end <= len(text):
            return [f"{what} have a span [{start}, {end}) in a text of {len(text)} bytes"]
        reached = end
    return []


def _misquoted(what: str, quoted: list[str], edges: _Edges, text: bytes) -> list[str]:
    """Spans whose bytes, code points and quotation are not the same characters."""
    characters = text.decode("utf-8", "replace")
    for said, start, end, char_start, char_end in zip(quoted, *edges, strict=True):
        here = text[start:end].decode("utf-8", "replace")
        if characters[char_start:char_end] != here:
            return [
                f"{what} differ by bytes [{start}, {end}): {here!r}"
                f" and by code points [{char_start}, {char_end})"
            ]
        if said.translate(_QUOTABLE) != here.translate(_QUOTABLE):
            return [f"{what} say {said!r} where the text has {here!r}"]
    return []


def _uncovered(row: Row, text: bytes) -> list[str]:
    """ASCII letters and digits outside all tokens, though nothing was dropped."""
    covered = np.zeros(len(text), bool)
    for start, end in zip(row["starts"], row["ends"], strict=True):
        covered[max(0, start) : end] = True
    lost = [at for at in np.flatnonzero(~covered).tolist() if text[at : at + 1].isalnum()]
    return [f"no token covers byte {lost[0]}, and dropped_tokens is 0"] if lost else []


def _illegal(tags: list[str]) -> str:
    """The first tag that IOB2 does not allow where it stands; "" if there is none."""
    before = "O"
    for tag in tags:
        if not _TAG.fullmatch(tag):
            return f"{tag!r} is no IOB2 tag"
        if tag.startswith("I-") and before[2:] != tag[2:]:
            return f"the tag {tag} follows {before}, which IOB2 does not allow"
        before = tag
    return ""


def _expected(row: Row) -> list[tuple[int, int, str]]:
    """Entities of legal tags: first byte, end, type."""
    found: list[tuple[int, int, str]] = []
    for tag, start, end in zip(row["tags"], row["starts"], row["ends"], strict=True):
        if tag.startswith("B-"):
            found.append((start, end, tag[2:]))
        elif tag.startswith("I-"):
            found[-1] = (found[-1][0], end, tag[2:])
    return found


def _given(row: Row) -> list[tuple[int, int, str]]:
    columns = (row["entity_starts"], row["entity_ends"], row["entity_types"])
    return list(zip(*columns, strict=True))
