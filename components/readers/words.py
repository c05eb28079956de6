"""Words to text: one space between them, none between characters of scripts without spaces."""

import unicodedata
from functools import lru_cache
from itertools import accumulate
from operator import add, sub
from typing import NamedTuple

_HANGUL = "HANGUL"
_EMOJI = ("So", "Sk")


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
        and unicodedata.category(character) not in _EMOJI
        and _HANGUL not in unicodedata.name(character, "")
    )


@lru_cache(maxsize=1 << 14)
def is_shared(character: str) -> bool:
    """Whether it is a sign that Chinese has in common with other scripts, such as “ ” · … —.

    Those are punctuation, symbols and numerals of ambiguous width (UAX #11): they need no space
    beside a character that ``is_unspaced``, nor beside each other after one.
    """
    ambiguous = unicodedata.east_asian_width(character) == "A"
    return ambiguous and unicodedata.category(character)[0] in "PSN"


def join(words: list[str]) -> Joined:
    """Joins words, none of them empty.

    ``join(["我", "在", "EU", "!"]) == ("我在 EU !", [0, 3, 7, 10], [3, 6, 9, 11])``
    """
    text = " ".join(words)
    if text.isascii():
        gaps = [0, *[1] * len(words)][: len(words)]
        return Joined(text, *_offsets([len(word) for word in words], gaps))
    gaps = _gaps(words)
    text = "".join([" " + word if gap else word for word, gap in zip(words, gaps, strict=True)])
    return Joined(text, *_offsets([len(word.encode()) for word in words], gaps))


def _gaps(words: list[str]) -> list[int]:
    """1 for a word that has a space before it, 0 for one that has none, such as the first."""
    gaps, is_after_unspaced, is_after_shared = [], False, False
    for word in words:
        first, last = word[0], word[-1]
        if is_unspaced(first):
            touches = is_after_unspaced or is_after_shared
        else:
            touches = is_after_unspaced and is_shared(first)
        gaps.append(0 if touches else 1)
        is_after_shared = is_shared(last)
        is_after_unspaced = is_unspaced(last) or (touches and is_after_shared)
    gaps[:1] = [0]
    return gaps


def _offsets(lengths: list[int], gaps: list[int]) -> tuple[list[int], list[int]]:
    """Starts and ends of words of these lengths, each after its gap."""
    ends = list(accumulate(map(add, lengths, gaps)))
    return list(map(sub, ends, lengths)), ends
