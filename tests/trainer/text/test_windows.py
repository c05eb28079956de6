"""Windows: every token owned once, none too long, all with context, the text's order kept."""

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from trainer.text.windows import Windows, how_many, window, windows


def splits(lengths: list[int]) -> tf.Tensor:
    return tf.constant(np.cumsum([0, *lengths]), tf.int64)


@pytest.mark.parametrize(
    ("length", "max_tokens", "tokens", "owned"),
    [
        (2, 8, [[0, 1]], [[0, 1]]),
        (8, 8, [[0, 1, 2, 3, 4, 5, 6, 7]], [[0, 1, 2, 3, 4, 5, 6, 7]]),
        (
            12,
            8,
            [[0, 1, 2, 3, 4, 5, 6, 11], [0, 5, 6, 7, 8, 9, 10, 11]],
            [[0, 1, 2, 3, 4, 5], [6, 7, 8, 9, 10, 11]],
        ),
        (5, 3, [[0, 1, 4], [0, 2, 4], [0, 3, 4]], [[0, 1], [2], [3, 4]]),
    ],
    ids=["empty text", "just fits", "two windows", "a piece a window"],
)
def test_by_hand(
    length: int, max_tokens: int, tokens: list[list[int]], owned: list[list[int]]
) -> None:
    cut = windows(splits([length]), max_tokens)
    assert cut.tokens.to_list() == tokens
    assert tf.ragged.boolean_mask(cut.tokens, cut.owned).to_list() == owned


LENGTHS = st.lists(st.integers(2, 60), max_size=6)


@settings(max_examples=60, deadline=None)
@given(LENGTHS, st.integers(3, 20))
def test_every_token_is_owned_once_and_in_order(lengths: list[int], max_tokens: int) -> None:
    cut = windows(splits(lengths), max_tokens)
    owned = tf.ragged.boolean_mask(cut.tokens, cut.owned).values.numpy().tolist()
    assert owned == list(range(sum(lengths)))
    assert cut.rows.numpy().tolist() == sorted(cut.rows.numpy().tolist())
    number = how_many(tf.constant(lengths, tf.int64), max_tokens).numpy().tolist()
    assert np.bincount(cut.rows.numpy(), minlength=len(lengths)).tolist() == number


@settings(max_examples=60, deadline=None)
@given(LENGTHS, st.integers(3, 20))
def test_every_window_is_a_text_of_its_own(lengths: list[int], max_tokens: int) -> None:
    cut, starts = windows(splits(lengths), max_tokens), np.cumsum([0, *lengths])
    for row, tokens in zip(cut.rows.numpy(), cut.tokens.to_list(), strict=True):
        first, last = starts[row], starts[row + 1] - 1
        assert len(tokens) == min(max_tokens, lengths[row])
        assert (tokens[0], tokens[-1]) == (first, last), "[CLS] first, [SEP] last"
        assert tokens[1:-1] == list(range(tokens[1], tokens[1] + len(tokens) - 2))


def test_a_token_is_owned_where_it_is_further_from_the_edge() -> None:
    cut = windows(splits([102]), 34)  # neighbours share 8 pieces
    inner = cut.owned.to_list()[1]
    assert sum(inner[1:5]) == sum(inner[-5:-1]) == 0
    assert all(inner[5:-5])


def test_one_window_of_each_text_is_that_of_all_windows() -> None:
    lengths = [30, 2, 17]
    every = windows(splits(lengths), 8)
    number = how_many(tf.constant(lengths, tf.int64), 8)
    rows = every.rows.numpy()
    orders = tf.ragged.range(number).values.numpy()
    for place, (row, order) in enumerate(zip(rows, orders, strict=True)):
        chosen = [order if other == row else 0 for other in range(len(lengths))]
        one: Windows = window(splits(lengths), tf.constant(chosen, tf.int64), 8)
        assert one.tokens[row].numpy().tolist() == every.tokens[place].numpy().tolist()
        assert one.owned[row].numpy().tolist() == every.owned[place].numpy().tolist()
