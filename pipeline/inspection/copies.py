"""Copies and near copies of texts, within splits and across them."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from pipeline.inspection import shingles
from pipeline.inspection.subject import SPLITS, Subject
from pipeline.page.blocks import Block, Cell, Row, Section, Table, Text, Tone

Tell = Callable[[str, int, int], None]  # what, so many, of so many

_MOST_TEXTS = 1_000_000  # half a kilobyte each
_MOST_PAIRS = 500_000
_SHOWN = 15
_LETTERS = 300


@dataclass(frozen=True)
class Pair:
    """Two texts that are nearly the same; the first row's split comes first."""

    likeness: float
    first: tuple[str, str, str]  # split, label, text
    second: tuple[str, str, str]

    @property
    def across(self) -> bool:
        """Whether they are in different splits."""
        return self.first[0] != self.second[0]

    @property
    def differ(self) -> bool:
        """Whether their labels do."""
        return self.first[1] != self.second[1]


class _Near(NamedTuple):
    """Texts with a near copy before them by pair of splits, the gravest pairs, pairs looked at."""

    counted: Counter[tuple[int, int]]
    pairs: list[Pair]
    looked_at: int


class _Table:
    """What is remembered of every text that was not met before: its split and its bands."""

    def __init__(self) -> None:
        self.first: dict[int, int] = {}  # key ▶ split
        self.splits: list[int] = []
        self.rows: list[int] = []  # number of the row over all splits
        self.bands: list[np.ndarray] = []
        self.exact: Counter[tuple[int, int]] = Counter()  # split of the first, of the copy

    def add(self, row: int, split: int, text: bytes) -> None:
        normal = shingles.normalised(text)
        key = shingles.key(normal)
        if key in self.first:
            self.exact[self.first[key], split] += 1
            return
        self.first[key] = split
        self.rows.append(row)
        self.splits.append(split)
        self.bands.append(shingles.bands(shingles.shingles(normal)))


def section(subject: Subject, tell: Tell) -> Section:
    """Counts by pair of splits, and the pairs that matter most."""
    table, read = _read(subject, tell)
    near = _near(subject, table, tell)
    blocks: list[Block] = [
        Text(
            "Copies are equal in words, whatever their case and punctuation; near copies have at"
            f" least {shingles.NEAR:.0%} of their strings of eight bytes in common. A text counts"
            " in the first split that has it.",
            "quiet",
        )
    ]
    if read == _MOST_TEXTS:
        blocks.append(Text(f"Only the first {read:,} texts were compared.", "bad"))
    if near.looked_at == _MOST_PAIRS:
        words = f"Only the first {_MOST_PAIRS:,} pairs of like texts were looked at: there are more"
        blocks.append(Text(f"{words} near copies than are counted here.", "bad"))
    blocks.append(_counts(table.exact, near.counted))
    if near.pairs:
        blocks.append(_listed(near.pairs))
    return Section("Copies and near copies", blocks)


def _read(subject: Subject, tell: Tell) -> tuple[_Table, int]:
    table, row = _Table(), 0
    total = min(_MOST_TEXTS, subject.report.rows.total())
    for number, split in enumerate(SPLITS):
        for text, _ in subject.rows(split):
            if row == _MOST_TEXTS:
                return table, row
            table.add(row, number, text)
            row += 1
            if row % 500 == 0:
                tell("comparing texts", row, total)
    return table, row


def _near(subject: Subject, table: _Table, tell: Tell) -> _Near:
    if not table.bands:
        return _Near(Counter(), [], 0)
    found = shingles.candidates(np.stack(table.bands), _MOST_PAIRS)
    wanted = {table.rows[number] for number in np.unique(found).tolist()}
    texts = _texts(subject, wanted, tell)
    counted: Counter[tuple[int, int]] = Counter()
    pairs: list[Pair] = []
    seen: set[int] = set()
    for number, (one, other) in enumerate(found.tolist()):
        if number % 500 == 0:
            tell("checking near copies", number, len(found))
        first, second = texts[table.rows[one]], texts[table.rows[other]]
        like = shingles.likeness(*(_shingles(text) for text in (first[2], second[2])))
        if like < shingles.NEAR:
            continue
        if other not in seen:
            seen.add(other)
            counted[table.splits[one], table.splits[other]] += 1
        pairs.append(Pair(like, first, second))
        if len(pairs) > 100 * _SHOWN:
            pairs = _gravest(pairs)
    return _Near(counted, _gravest(pairs), len(found))


def _gravest(pairs: list[Pair]) -> list[Pair]:
    order = sorted(pairs, key=lambda pair: (pair.across, pair.differ, pair.likeness), reverse=True)
    return order[:_SHOWN]


@lru_cache(maxsize=1024)  # of 16 kB at most; a text's pairs come one after the other
def _shingles(text: str) -> np.ndarray:
    return shingles.shingles(shingles.normalised(text.encode()))


def _texts(subject: Subject, wanted: set[int], tell: Tell) -> dict[int, tuple[str, str, str]]:
    """Split, label and text of some rows."""
    found, row = {}, 0
    for split in SPLITS:
        for text, label in subject.rows(split):
            if row in wanted:
                found[row] = split, label, text.decode("utf-8", "replace")
                tell("reading near copies", len(found), len(wanted))
            row += 1
            if len(found) == len(wanted):
                return found
    return found


def _counts(exact: Counter[tuple[int, int]], near: Counter[tuple[int, int]]) -> Table:
    rows: list[Row] = []
    for first, earlier in enumerate(SPLITS):
        for second in range(first, len(SPLITS)):
            where = (
                f"within {earlier}" if first == second else f"{SPLITS[second]}, first in {earlier}"
            )
            tone: Tone = "bad" if first != second else ""
            numbers = (exact[first, second], near[first, second])
            rows.append([where, *(Cell(f"{n:,}", tone if n else "") for n in numbers)])
    return Table(["texts", "copies", "near copies"], rows)


def _listed(pairs: list[Pair]) -> Table:
    rows = [
        [
            f"{pair.likeness:.0%}",
            _told(pair.first),
            _told(pair.second),
            Cell("other label", "bad") if pair.differ else "",
        ]
        for pair in pairs
    ]
    caption = "Near copies, those across splits and with other labels first"
    return Table(["alike", "a text", "and its near copy", ""], rows, texts=4, caption=caption)


def _told(row: tuple[str, str, str]) -> str:
    split, label, text = row
    cut = text if len(text) <= _LETTERS else f"{text[:_LETTERS]}…"
    return f"{split}{f', {label}' if label else ''}: {cut}"
