"""The classes of characters that BERT's tokenization tells apart, as RE2 bracket contents.

They are spelled out, range by range, from the Unicode data of the Python that builds the graph,
and not written as `\\p{P}`: the RE2 in TensorFlow and the one in TensorFlow Serving may know
different versions of Unicode, while spelled-out ranges travel with the graph. Source of the
classes: google-research/bert's description of its tokenization.
"""

import functools
import itertools
import unicodedata

CJK = (
    r"\x{4E00}-\x{9FFF}\x{3400}-\x{4DBF}\x{20000}-\x{2A6DF}\x{2A700}-\x{2B73F}"
    r"\x{2B740}-\x{2B81F}\x{2B820}-\x{2CEAF}\x{F900}-\x{FAFF}\x{2F800}-\x{2FA1F}"
)


def removed() -> str:
    """U+FFFD and the control and format characters, NUL among them, but not tab and newlines."""
    return r"\x00-\x08\x0B\x0C\x0E-\x1F\x7F-\x9F\x{FFFD}" + _of_category("Cf")


def whitespace() -> str:
    """Tab, newline, carriage return, and the separators (categories Z*)."""
    return r"\t\n\r" + _of_category("Z")


def marks() -> str:
    """Nonspacing marks (category Mn): accents, once they are decomposed."""
    return _of_category("Mn")


def punctuation() -> str:
    """What of ASCII is no letter, digit, space or control; elsewhere the categories P*."""
    return r"!-/:-@\[-`{-~" + _of_category("P")


@functools.cache  # each trace asks for it dozens of times, through AutoGraph, which makes it slow
def _of_category(prefix: str) -> str:
    runs = (run for category, run in _runs() if category.startswith(prefix))
    return "".join(rf"\x{{{first:X}}}-\x{{{last:X}}}" for first, last in runs)


@functools.cache
def _runs() -> list[tuple[str, tuple[int, int]]]:
    """Code points as runs of one category: (category, (first, last)).

    Without the planes that have no characters and are not to get any, or private ones only
    (4 to 13, 15, 16): four fifths of all code points.
    """
    return _runs_of(range(0x40000)) + _runs_of(range(0xE0000, 0xF0000))


def _runs_of(points: range) -> list[tuple[str, tuple[int, int]]]:
    categories = map(unicodedata.category, map(chr, points))
    runs: list[tuple[str, tuple[int, int]]] = []
    first = points.start
    for category, run in itertools.groupby(categories):
        length = sum(1 for _ in run)
        runs.append((category, (first, first + length - 1)))
        first += length
    return runs
