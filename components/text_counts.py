"""Counts copies of texts over all splits in 13 bytes a row, in any order and in parts."""

from collections.abc import Iterable, Iterator
from hashlib import blake2b
from itertools import combinations
from typing import NamedTuple

import numpy as np

from components.splits import SPLITS, text_hash

ENTRY = np.dtype([("text", "<u8"), ("label", "<u4"), ("split", "u1")])
PARTITIONS = 16  # parts by hash that can be counted one by one


class Entry(NamedTuple):
    """One row: 64 bits of its text's hash, 32 of its label's, its split."""

    text: int
    label: int
    split: str


def entry(texts: tuple[str, ...], label: str, split: str) -> Entry:
    """Hashes a row."""
    hashed = blake2b(label.encode(), digest_size=4).digest()
    return Entry(text_hash(texts), int.from_bytes(hashed, "little"), split)


def partitions(entries: list[Entry]) -> Iterator[tuple[int, bytes]]:
    """Packs rows by the part of the hash space that their text is in."""
    packed = np.array([(row.text, row.label, SPLITS.index(row.split)) for row in entries], ENTRY)
    part = packed["text"] % PARTITIONS
    for number in np.unique(part):
        yield int(number), packed[part == number].tobytes()


def count(chunks: Iterable[bytes]) -> dict[str, int]:
    """Counts over packed rows; sums over partitions are counts over all.

    Returns:
        duplicates: rows whose text another row had before; conflicts: texts with more than one
        label; "train/eval" and so on: rows of the second split whose text the first has too.
    """
    rows = np.frombuffer(b"".join(chunks), ENTRY)
    rows = rows[np.lexsort((rows["label"], rows["text"]))]
    same_text = rows["text"][1:] == rows["text"][:-1]
    other_label = same_text & (rows["label"][1:] != rows["label"][:-1])
    counts = {
        "duplicates": int(same_text.sum()),
        "conflicts": len(np.unique(rows["text"][1:][other_label])),
    }
    texts = [rows["text"][rows["split"] == number] for number in range(len(SPLITS))]
    for first, second in combinations(range(len(SPLITS)), 2):
        shared = int(np.isin(texts[second], texts[first]).sum())
        counts[f"{SPLITS[first]}/{SPLITS[second]}"] = shared
    return counts
