"""Words to text: one space between them, none between characters of scripts without spaces."""

import unicodedata
from functools import lru_cache
from itertools import accumulate, pairwise
from operator import add, sub
from typing import NamedTuple

_HANGUL = "HANGUL"
_SYMBOLS = ("So", "Sk")


class Joined(NamedTuple):
    """A text and where its words are in it: UTF-8 byte offsets, ends exclusive."""

    text: str
    starts: list[int]
    ends: list[int]


@lru_cache(maxsize=1 << 14)
def is_unspaced(character: str) -> bool:
    """Whether a script without spaces is written with this character.

    Those are the wide and fullwidth ones of Unicode's East Asian Width (UAX #11): Chinese
    characters, kana, their punctuation, fullwidth letters and digits. Not Hangul, for Korean has
    spaces, nor wide symbols, which are emoji for the most part: two of them in a row are two words.
    """
    if character < "\u1100":
        return False
    return (
        unicodedata.east_asian_width(character) in ("W", "F")
        and unicodedata.category(character) not in _SYMBOLS
        and _HANGUL not in unicodedata.name(character, "")
    )


def join(words: list[str]) -> Joined:
    """Joins words, none of them empty.

    ``join(["我", "在", "EU", "!"]) == ("我在 EU !", [0, 3, 7, 10], [3, 6, 9, 11])``
    """
    text = " ".join(words)
    if text.isascii():
        gaps = [0, *[1] * len(words)][: len(words)]
        return Joined(text, *_offsets([len(word) for word in words], gaps))
    gaps = [0]
    for before, word in pairwise(words):
        gaps.append(not (is_unspaced(before[-1]) and is_unspaced(word[0])))
    text = "".join([" " + word if gap else word for word, gap in zip(words, gaps, strict=True)])
    return Joined(text, *_offsets([len(word.encode()) for word in words], gaps))


def _offsets(lengths: list[int], gaps: list[int]) -> tuple[list[int], list[int]]:
    """Starts and ends of words of these lengths, each after its gap."""
    ends = list(accumulate(map(add, lengths, gaps)))
    return list(map(sub, ends, lengths)), ends
