"""Gradients of tables, of which a batch reads some rows: what is done to all is done to these.

A word table is half of a small BERT. Norm and scale of its dense gradient would pass over all of
it, though it is zero but for some hundred rows.
"""

from collections.abc import Callable
from typing import TypeAlias

import tensorflow as tf

Gradient: TypeAlias = tf.Tensor | tf.IndexedSlices


def summed(gradient: Gradient) -> Gradient:
    """Slices of the same row added up, so that the numbers are those of the dense gradient."""
    if not isinstance(gradient, tf.IndexedSlices):
        return gradient
    rows, row = tf.unique(gradient.indices)
    values = tf.math.unsorted_segment_sum(gradient.values, row, tf.size(rows))
    return tf.IndexedSlices(values, rows, gradient.dense_shape)


def numbers(gradient: Gradient) -> tf.Tensor:
    """All that are not known to be zero; of a gradient that is summed."""
    return gradient.values if isinstance(gradient, tf.IndexedSlices) else gradient


def dense(gradient: Gradient, change: Callable[[tf.Tensor], tf.Tensor]) -> tf.Tensor:
    """``change`` done to the numbers of a gradient that is summed; it keeps zeros."""
    if not isinstance(gradient, tf.IndexedSlices):
        return change(gradient)
    return tf.convert_to_tensor(
        tf.IndexedSlices(change(gradient.values), gradient.indices, gradient.dense_shape)
    )
