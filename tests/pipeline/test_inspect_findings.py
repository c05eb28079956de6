"""What is counted in texts: split words, types of pieces, copies and near copies."""

import random
from collections import Counter

import numpy as np
import pytest

from pipeline import outcome
from pipeline.inspection import shingles
from pipeline.inspection.words import Counts, split_words, types_of_pieces

NORMAL = {
    "case and punctuation": (b"  It's GREAT...", "it s great"),
    "compatibility forms": ("ｆｉｌｍ ﬁlm".encode(), "film film"),
    "sharp s": ("Straße".encode(), "strasse"),
    "vowel signs": ("हिन्दी!".encode(), "हिन्दी"),
    "no words": (b" -- !! ", "-- !!"),
    "emoji alone": ("😀".encode(), "😀"),
    "nothing": (b" ", ""),
    "bytes that are no UTF-8": (b"a \xff b", "a b"),
    "Chinese": ("很好。".encode(), "很好"),
}


@pytest.mark.parametrize(("text", "expected"), NORMAL.values(), ids=NORMAL)
def test_what_copies_have_in_common(text: bytes, expected: str) -> None:
    assert shingles.normalised(text) == expected


def by_hand(one: str, other: str) -> float:
    """Jaccard's index of the sets of eight bytes, from plain sets."""
    sets = []
    for text in (one, other):
        data = text.encode().ljust(8, b" ")
        sets.append({data[i : i + 8] for i in range(len(data) - 7)})
    return len(sets[0] & sets[1]) / len(sets[0] | sets[1])


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("", ""), ("a", "a"), ("a", "b"), ("short", "shorter"), ("a b c d e f g", "a b c d e f h"),
        ("the film was quite good " * 5, "the film was quite bad " * 5),
    ],
)  # fmt: skip
def test_likeness_is_that_of_plain_sets(one: str, other: str) -> None:
    found = shingles.likeness(shingles.shingles(one), shingles.shingles(other))
    assert found == pytest.approx(by_hand(one, other))


def test_near_copies_are_found_among_many_texts() -> None:
    rng = random.Random(3)
    words = ["".join(rng.choices("abcdefghij", k=6)) for _ in range(2000)]
    texts = [" ".join(rng.choices(words, k=30)) for _ in range(1500)]
    near = [" ".join([*text.split()[:-1], "other"]) for text in texts[:100]]
    assert min(by_hand(a, b) for a, b in zip(texts, near, strict=False)) > 0.8
    signatures = np.stack([shingles.bands(shingles.shingles(text)) for text in texts + near])
    pairs = {tuple(pair) for pair in shingles.candidates(signatures, 10_000).tolist()}
    assert len({(row, 1500 + row) for row in range(100)} - pairs) <= 1
    assert len(pairs) < 300


def test_candidates_are_bounded() -> None:
    same = np.ones([3000, 16], np.uint64)
    assert len(shingles.candidates(same, 500)) == 500
    assert len(shingles.candidates(same, 10_000)) == 2999  # the first stands for the crowd
    assert shingles.candidates(np.zeros([0, 16], np.uint64), 10).tolist() == []


def test_a_long_text_keeps_the_shingles_that_a_like_one_keeps() -> None:
    rng = random.Random(5)
    text = " ".join("".join(rng.choices("abcdefghij", k=6)) for _ in range(5000))
    longer = text + " and some words more at its end"
    assert shingles.likeness(shingles.shingles(text), shingles.shingles(longer)) > 0.98


def test_words_of_several_pieces() -> None:
    continues = np.array([False, False, True, True])
    ids = np.array([0, 1, 2, 0, 3, 2, 1])
    assert list(split_words(ids, continues[ids])) == [(1, 2), (0, 3, 2)]
    assert list(split_words(np.array([], int), np.array([], bool))) == []
    assert list(split_words(np.array([2]), continues[[2]])) == []


@pytest.mark.parametrize(
    ("lengths", "bins"),
    [({}, {4: 0}), ({3: 1, 5: 2}, {4: 1, 6: 2}), ({9: 1, 17: 1}, {12: 1, 16: 0, 24: 1}),
     ({2**24 + 2: 1}, {3 * 2**23: 1})],
    ids=["nothing", "powers of two and their halves", "a gap", "the longest line that is read"],
)  # fmt: skip
def test_lengths_by_the_bin_that_holds_them(lengths: dict[int, int], bins: dict[int, int]) -> None:
    assert outcome.binned(Counter(lengths)) == bins


def test_pieces_have_their_words_type() -> None:
    #        [CLS] ada ##s  is  in  lima ##s [SEP] [CLS] bo [SEP]
    first = np.array([0, 1, 0, 1, 1, 1, 0, 0, 0, 1, 0])
    tags = np.array([-1, 1, -1, 0, -1, 4, -1, -1, -1, 2, -1])  # B-0, O, unknown, I-1, I-0
    found = types_of_pieces(first, tags).tolist()
    assert found[1:7] == [0, 0, -1, -1, 1, 1]
    assert found[9] == 0


def test_counts_by_label_and_bounded_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.inspection.words._MOST_WORDS", 4)
    counts = Counts()
    continues = np.array([False] + [True] * 9)
    for piece in range(1, 10):
        for _ in range(piece):
            ids, groups = np.array([0, piece]), np.array([1, 1])
            counts.add(ids, groups, unk=0, continues=continues)
    assert (counts.pieces[1], counts.unknown[1]) == (90, 45)
    assert counts.forgot
    assert len(counts.split) <= 4
    assert {word for word, _ in counts.split.most_common(2)} == {(0, 8), (0, 9)}
