"""Spans of the caller's text as strings and as code points."""

from typing import NamedTuple

import tensorflow as tf

from trainer.text.rows import row_of_values


class Quotes(NamedTuple):
    """`text` string, `char_starts` and `char_ends` int32, all ragged [batch, (spans)]."""

    text: tf.RaggedTensor
    char_starts: tf.RaggedTensor
    char_ends: tf.RaggedTensor


def quote(text: tf.Tensor, starts: tf.RaggedTensor, ends: tf.RaggedTensor) -> Quotes:
    """What stands at spans of texts.

    >>> quote(tf.constant(["Où ça"]), starts=[[0, 4]], ends=[[3, 7]])
    Quotes(text=[["Où", "ça"]], char_starts=[[0, 3]], char_ends=[[2, 5]])

    A byte that is no UTF-8 reads as one U+FFFD.

    Args:
        text: [batch] string, any bytes.
        starts: ragged [batch, (spans)] int32, bytes.
        ends: the same.
    """
    points, begins = tf.strings.unicode_decode_with_offsets(text, "UTF-8", errors="replace")
    characters = tf.strings.unicode_encode(points.values[:, tf.newaxis], "UTF-8")
    rows = row_of_values(starts.row_splits, starts.values)
    row_bytes = tf.cumsum(tf.cast(tf.strings.length(text), tf.int64) + 1, exclusive=True)
    of_character = tf.gather(row_bytes, row_of_values(points.row_splits, points.values))
    global_begins = of_character + begins.values  # rises over the whole batch
    row_characters = tf.gather(points.row_starts(), rows)

    def character(edges: tf.RaggedTensor) -> tf.Tensor:
        at = tf.gather(row_bytes, rows) + tf.cast(edges.values, tf.int64)
        return tf.searchsorted(global_begins, at, out_type=tf.int64)

    first, last = character(starts), character(ends)
    quoted = tf.strings.reduce_join(tf.gather(characters, tf.ragged.range(first, last)), axis=1)
    return Quotes(
        starts.with_values(quoted),
        starts.with_values(tf.cast(first - row_characters, tf.int32)),
        starts.with_values(tf.cast(last - row_characters, tf.int32)),
    )
