"""Gradients of tables, of which a batch reads some rows: what is done to all is done to these.

A word table is half of a small BERT. Norm and scale of its dense gradient would pass over all of
it, though it is zero but for some hundred rows.
"""

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


def scaled(gradient: Gradient, factor: tf.Tensor) -> tf.Tensor:
    """The dense gradient, of one that is summed, times a scalar."""
    if not isinstance(gradient, tf.IndexedSlices):
        return gradient * factor
    values = gradient.values * factor
    return tf.convert_to_tensor(tf.IndexedSlices(values, gradient.indices, gradient.dense_shape))
