"""Sparse tensors on their way from one step of Beam to the next: lengths and values of their rows.

tf.Transform gives ragged columns as sparse tensors, whose indices are two int64 a value. So pickled
a review of 27 pieces is 3.9 kB, four times the Example it becomes; as rows of int32 it is 0.6 kB.
Importing this module is what makes them travel so; who reads one imports it by itself.
"""

import copyreg
from typing import Any

import numpy as np
import tensorflow as tf

_INT32 = np.iinfo(np.int32)


def reduced(tensor: tf.SparseTensor) -> tuple[Any, ...]:
    """For pickle: how to make the tensor again, [B, longest] of any type, and out of what."""
    indices, values, shape = (
        part.numpy() for part in (tensor.indices, tensor.values, tensor.dense_shape)
    )
    if len(shape) == 2:
        lengths = np.bincount(indices[:, 0], minlength=shape[0])
        if np.array_equal(indices, _indices(lengths)):
            return from_rows, (lengths.astype(np.int32), _narrow(values), values.dtype.str, shape)
    return tf.SparseTensor, (indices, values, shape)


def from_rows(
    lengths: np.ndarray, values: np.ndarray, dtype: str, shape: np.ndarray
) -> tf.SparseTensor:
    """Rows that are filled from the left.

    Args:
        lengths: [B], of the rows.
        values: of one row after another.
        dtype: that the values have in the tensor.
        shape: [2], of the dense tensor.
    """
    return tf.SparseTensor(_indices(lengths), values.astype(dtype, copy=False), shape)


def _indices(lengths: np.ndarray) -> np.ndarray:
    rows = np.repeat(np.arange(len(lengths)), lengths)
    starts = np.cumsum(lengths) - lengths
    return np.stack([rows, np.arange(len(rows)) - starts[rows]], axis=1).astype(np.int64)


def _narrow(values: np.ndarray) -> np.ndarray:
    fits = values.dtype == np.int64 and (
        not values.size or (values.min() >= _INT32.min and values.max() <= _INT32.max)
    )
    return values.astype(np.int32) if fits else values


copyreg.pickle(tf.SparseTensor, reduced)
