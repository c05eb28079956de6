"""Entities as bytes of a text, on the words that the source had: what seqeval scores.

A word's tag is that of the entity that holds the word's first byte, as taggers on pieces are scored
by others: a word is called what its first piece is called. So the score on words can differ from
the strict one on bytes, and it does so only through entities that `uneven` names.
"""

from collections.abc import Sequence
from typing import NamedTuple

Entity = tuple[int, int, str]  # first byte, byte after the last one, type


class Words(NamedTuple):
    """The source's words: UTF-8 byte offsets, ends exclusive."""

    starts: Sequence[int]
    ends: Sequence[int]


def word_tags(entities: Sequence[Entity], words: Words) -> list[str]:
    """One IOB2 tag a word.

    >>> word_tags([(0, 8, "PER"), (9, 10, "LOC")], Words([0, 4, 9], [3, 8, 14]))
    ['B-PER', 'I-PER', 'B-LOC']

    Args:
        entities: by their start, none overlapping.
        words: by their start.
    """
    tags, before, at = list[str](), -1, 0
    for start in words.starts:
        while at < len(entities) and entities[at][1] <= start:
            at += 1
        if at == len(entities) or entities[at][0] > start:
            tags.append("O")
            continue
        tags.append(f"{'I' if at == before else 'B'}-{entities[at][2]}")
        before = at
    return tags


def uneven(entities: Sequence[Entity], words: Words) -> dict[str, list[Entity]]:
    """Entities that are not a number of whole words, by what sets them apart.

    ``inside a word``: a gold or predicted entity begins or ends inside a source word, such as
    "Zürich" in the word "Zürich-based". On bytes it matches nothing but its like; on words it is
    stretched to the words whose first byte it holds.

    ``no first byte``: it holds no word's first byte. On bytes it counts; on words there is nothing.

    Without such entities, gold or predicted, both scores are the same.
    """
    starts, ends = set(words.starts), set(words.ends)
    found: dict[str, list[Entity]] = {"inside a word": [], "no first byte": []}
    for entity in entities:
        start, end, _ = entity
        if not any(start <= first < end for first in words.starts):
            found["no first byte"].append(entity)
        elif start not in starts or end not in ends:
            found["inside a word"].append(entity)
    return found
