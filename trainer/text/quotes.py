"""Spans of the caller's text as strings and as code points."""

from typing import NamedTuple

import tensorflow as tf

from trainer.text.rows import row_of_values


class Quotes(NamedTuple):
    """`text` string, `char_starts` and `char_ends` int32, all ragged [batch, (spans)]."""

    text: tf.RaggedTensor
    char_starts: tf.RaggedTensor
    char_ends: tf.RaggedTensor


class Quotable:
    """Texts, decoded once for all that is quoted from them.

    >>> Quotable(tf.constant(["Où ça"])).quote(starts=[[0, 4]], ends=[[3, 7]])
    Quotes(text=[["Où", "ça"]], char_starts=[[0, 3]], char_ends=[[2, 5]])

    A byte that is no UTF-8 reads as one U+FFFD.

    Args:
        text: [batch] string, any bytes.
    """

    def __init__(self, text: tf.Tensor) -> None:
        points, begins = tf.strings.unicode_decode_with_offsets(text, "UTF-8", errors="replace")
        self._characters = tf.strings.unicode_encode(points.values[:, tf.newaxis], "UTF-8")
        self._row_characters = points.row_starts()
        self._row_bytes = tf.cumsum(tf.cast(tf.strings.length(text), tf.int64) + 1, exclusive=True)
        of_character = row_of_values(points.row_splits, points.values)
        # Rises over the whole batch.
        self._begins = tf.gather(self._row_bytes, of_character) + begins.values

    def quote(self, starts: tf.RaggedTensor, ends: tf.RaggedTensor) -> Quotes:
        """What stands at spans.

        Args:
            starts: ragged [batch, (spans)] int32, bytes.
            ends: the same.
        """
        rows = row_of_values(starts.row_splits, starts.values)
        first, last = self._places(starts, rows), self._places(ends, rows)
        covered = tf.gather(self._characters, tf.ragged.range(first, last))
        before = tf.gather(self._row_characters, rows)
        return Quotes(
            starts.with_values(tf.strings.reduce_join(covered, axis=1)),
            starts.with_values(tf.cast(first - before, tf.int32)),
            starts.with_values(tf.cast(last - before, tf.int32)),
        )

    def _places(self, edges: tf.RaggedTensor, rows: tf.Tensor) -> tf.Tensor:
        """Bytes of texts ▶ places among all characters of the batch: [spans] int64."""
        at = tf.gather(self._row_bytes, rows) + tf.cast(edges.values, tf.int64)
        return tf.searchsorted(self._begins, at, out_type=tf.int64)
