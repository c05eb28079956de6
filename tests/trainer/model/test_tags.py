"""Tags and entities, beside a scorer that goes word by word."""

import numpy as np
import pytest
import tensorflow as tf

from trainer.model import tags

O, B_X, I_X, B_Y, I_Y = range(5)  # noqa: E741


def test_names_and_what_may_follow() -> None:
    names = tags.tag_names(["LOC", "PER"])
    assert names == ["O", "B-LOC", "I-LOC", "B-PER", "I-PER"]
    assert tags.tag_names([]) == ["O"]
    legal, starts = tags.legal_transitions(2), tags.legal_starts(2)
    for i, before in enumerate(names):
        for j, after in enumerate(names):
            inside = after.startswith("I-")
            expected = not inside or before in ("B" + after[1:], after)
            assert legal[i, j] == expected, (before, after)
            assert starts[j] == (not inside)
    assert tags.legal_transitions(0).tolist() == [[True]]


def spelled(words: list[int]) -> list[tuple[int, int, int]]:
    """(start, end, type), word by word."""
    found, open_ = [], None
    for at, tag in enumerate([*words, O]):
        if open_ and not (tag > 0 and tag % 2 == 0 and (tag - 2) // 2 == open_[1]):
            found.append((open_[0], at, open_[1]))
            open_ = None
        if tag > 0 and tag % 2 == 1:
            open_ = (at, tag // 2)
    return found


ROWS = {
    "none": [O, O],
    "one word": [B_Y],
    "two words, to the end": [O, B_X, I_X],
    "neighbours": [B_X, B_X, I_X, B_Y],
    "I without B": [I_X, I_X, O, I_Y],
    "I of another type": [B_X, I_Y, I_Y, B_Y, I_X],
    "empty": [],
    "I begins after another row's B": [I_Y, B_X],
    "unknown words": [B_X, -1, I_X, -1, B_Y, I_Y],
}


@pytest.mark.parametrize(
    "rows", [*([row] for row in ROWS.values()), [], [[], []], list(ROWS.values())],
    ids=[*ROWS, "no rows", "two empty rows", "all together"],
)  # fmt: skip
def test_entities(rows: list[list[int]]) -> None:
    found = tags.entities(tf.ragged.constant(rows, tf.int32, ragged_rank=1))
    assert all(part.dtype == tf.int32 for part in found)
    triples = [
        list(zip(*row, strict=True)) for row in zip(*(p.to_list() for p in found), strict=True)
    ]
    assert triples == [spelled(row) for row in rows]


def count(gold: np.ndarray, predicted: np.ndarray) -> tuple[int, int, int]:
    totals = np.zeros(3, int)
    for gold_row, row in zip(gold, np.where(gold < 0, -1, predicted), strict=True):
        truth, guess = set(spelled(gold_row.tolist())), set(spelled(row.tolist()))
        totals += len(truth & guess), len(truth), len(guess)
    return tuple(totals)


MATCHES = {
    "right": ([B_X, I_X, O], [B_X, I_X, O], (1, 1, 1)),
    "too short": ([B_X, I_X, O], [B_X, O, O], (0, 1, 1)),
    "too long": ([B_X, O, O], [B_X, I_X, O], (0, 1, 1)),
    "other type": ([B_X, I_X, O], [B_Y, I_Y, O], (0, 1, 1)),
    "begins too late": ([B_X, I_X, O], [O, B_X, O], (0, 1, 1)),
    "two for one": ([B_X, I_X, O], [B_X, B_X, O], (0, 1, 2)),
    "on unknown words": ([-1, -1, B_X], [B_Y, I_Y, B_X], (1, 1, 1)),
    "at padding": ([B_X, -1, -1], [B_X, I_X, B_Y], (1, 1, 1)),
    "nothing": ([O, O, O], [O, O, O], (0, 0, 0)),
}


@pytest.mark.parametrize(("gold", "predicted", "expected"), MATCHES.values(), ids=MATCHES)
def test_matches(gold: list[int], predicted: list[int], expected: tuple[int, int, int]) -> None:
    counts = tags.count_matches(tf.constant([gold]), tf.constant([predicted]))
    assert tuple(map(int, counts)) == expected


@pytest.mark.parametrize("shape", [(30, 12), (1, 1), (4, 0), (0, 3), (0, 0)], ids=str)
@pytest.mark.parametrize("seed", range(3))
def test_random_tags_beside_the_plain_scorer(seed: int, shape: tuple[int, int]) -> None:
    rng = np.random.default_rng(seed)
    gold = rng.choice(np.array([-1, O, B_X, I_X, B_Y, I_Y], np.int32), shape)
    noise = rng.choice(np.array([O, B_X, I_X, B_Y, I_Y], np.int32), shape)
    predicted = np.where(rng.random(shape) < 0.8, np.maximum(gold, 0), noise)
    counts = tuple(map(int, tags.count_matches(tf.constant(gold), tf.constant(predicted))))
    assert counts == count(gold, predicted)
    assert counts[0] > 0 or gold.size < 30
