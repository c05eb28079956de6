"""A sparse tensor is the same after its way through pickle, and a ragged one is short on it."""

import pickle

import numpy as np
import pytest
import tensorflow as tf
from apache_beam.coders.coders import FastPrimitivesCoder

from components import sparse_rows  # noqa: F401 - what is tested


def ragged(rows: list[list[int]]) -> tf.SparseTensor:
    return tf.ragged.constant(rows, dtype=tf.int64, ragged_rank=1).to_sparse()


TENSORS = {
    "rows": ragged([[101, 7, 102], [], [101, 102]]),
    "no rows": ragged([]),
    "empty rows": ragged([[], []]),
    "beyond int32": ragged([[2**40], [-1, 2**31]]),
    "strings": tf.sparse.from_dense([["a", "b"], ["c", ""]]),
    "floats": tf.sparse.from_dense([[0.5, 1.5]]),
    "a hole": tf.SparseTensor([[0, 1]], [5], [1, 3]),
    "wider than its rows": tf.SparseTensor([[0, 0], [1, 0]], [5, 6], [3, 4]),
    "three dimensions": tf.sparse.from_dense(np.arange(1, 9).reshape(2, 2, 2)),
}


@pytest.mark.parametrize("tensor", TENSORS.values(), ids=TENSORS)
def test_it_is_the_same_there(tensor: tf.SparseTensor) -> None:
    there = pickle.loads(pickle.dumps(tensor))
    for part in ("indices", "values", "dense_shape"):
        expected, found = getattr(tensor, part), getattr(there, part)
        assert found.dtype == expected.dtype
        assert np.array_equal(found.numpy(), expected.numpy())


def test_beam_sends_rows() -> None:
    coder = FastPrimitivesCoder()
    sent = coder.encode({"input_word_ids": ragged([[*range(30)]] * 1000)})
    assert len(sent) < 30_000 * 4 + 10_000
    assert coder.decode(sent)["input_word_ids"].values.shape == 30_000
