"""Texts that are nearly the same, found by MinHash and checked by the sets themselves.

A text is normalised and cut into overlapping strings of eight bytes, its shingles. Two texts are
near copies if at least four fifths of their shingles are common (Jaccard's index). Candidates are
the texts whose minima over random hash functions agree in one of 16 bands of 5 (A. Broder, "On the
resemblance and containment of documents", 1997; a pair at the bound is missed 2 times in 1,000).
"""

import re
import unicodedata
from collections.abc import Iterator
from hashlib import blake2b

import numpy as np

NEAR = 0.8
_BYTES = 8
_BANDS, _ROWS = 16, 5
# Shingles of one text: those of the smallest hashes, so that like texts keep like ones.
_MOST = 2_000
_CROWD = 50  # texts of one bucket that are all compared with each other
# Python's \w leaves out the marks that are half of a word in Hindi or Thai.
_MARKS = "".join(c for c in map(chr, range(0x300, 0x20000)) if unicodedata.category(c)[0] == "M")
_WORDS = re.compile(rf"\w[\w{_MARKS}]*")
_DRAWN = np.random.default_rng(20_221)
_FACTORS = _DRAWN.integers(1, 2**63, _BANDS * _ROWS, np.uint64) | np.uint64(1)
_TERMS = _DRAWN.integers(0, 2**63, _BANDS * _ROWS, np.uint64)
_MIX = np.uint64(0x9E3779B97F4A7C15)


def normalised(text: bytes) -> str:
    """Words alone, in one case and one form: what copies have in common.

    A text without a word, of emoji say, is all that it is.

    >>> normalised("  It’s GREAT…".encode())
    'it s great'
    """
    plain = unicodedata.normalize("NFKC", text.decode("utf-8", "replace")).casefold()
    return " ".join(_WORDS.findall(plain)) or plain.strip()


def key(normal: str) -> int:
    """64 bits that stand for a normalised text."""
    return int.from_bytes(blake2b(normal.encode(), digest_size=8).digest(), "little")


def shingles(normal: str) -> np.ndarray:
    """The distinct shingles of a normalised text, ``[shingles] uint64``, sorted by their hash."""
    data = normal.encode().ljust(_BYTES, b" ")
    windows = np.lib.stride_tricks.sliding_window_view(np.frombuffer(data, np.uint8), _BYTES)
    values = np.unique(np.ascontiguousarray(windows).view(np.uint64).ravel())
    mixed = (values ^ (values >> np.uint64(29))) * _MIX
    mixed ^= mixed >> np.uint64(32)
    return np.sort(mixed)[:_MOST]


def bands(of_text: np.ndarray) -> np.ndarray:
    """One number for each band of a text's minima, ``[bands] uint64``."""
    hashed = (of_text[:, None] * _FACTORS + _TERMS) >> np.uint64(32)
    minima = hashed.min(axis=0).reshape(_BANDS, _ROWS)
    powers = _MIX ** np.arange(1, _ROWS + 1, dtype=np.uint64)
    return (minima * powers).sum(axis=1, dtype=np.uint64)


def likeness(one: np.ndarray, other: np.ndarray) -> float:
    """Jaccard's index of two texts' shingles."""
    common = len(np.intersect1d(one, other, assume_unique=True))
    return common / max(1, len(one) + len(other) - common)


def candidates(signatures: np.ndarray, most: int) -> np.ndarray:
    """Pairs of rows that share a band, ``[pairs, 2]``, each once, the smaller row first.

    Args:
        signatures: ``[texts, bands]``.
        most: pairs that are given at most, so that memory is bounded.
    """
    found = np.zeros([0, 2], np.int64)
    for band in signatures.T:
        pairs = list(_in_band(band, most - len(found)))
        if pairs:
            found = np.unique(np.concatenate([found, np.array(pairs, np.int64)]), axis=0)
        if len(found) >= most:
            break
    return found[:most]


def _in_band(band: np.ndarray, most: int) -> Iterator[tuple[int, int]]:
    order = np.argsort(band, kind="stable")
    edges = np.flatnonzero(np.diff(band[order])) + 1
    given = 0
    for bucket in np.split(order, edges) if len(order) else []:
        if len(bucket) < 2:
            continue
        rows = sorted(bucket.tolist())
        # A large bucket is one text many times over: its first stands for all.
        firsts = rows if len(rows) <= _CROWD else rows[:1]
        for number, first in enumerate(firsts):
            for second in rows[number + 1 :]:
                yield first, second
                given += 1
                if given >= most:
                    return
