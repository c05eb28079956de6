"""Where the words of packed texts lie: a word is what BERT splits into pieces."""

import tensorflow as tf


def word_spans(
    first_piece: tf.RaggedTensor, starts: tf.RaggedTensor, ends: tf.RaggedTensor
) -> tuple[tf.RaggedTensor, tf.RaggedTensor]:
    """From pieces to words; [CLS] and [SEP] are none.

    first_piece [[0, 1, 0, 1, 0]], starts [[0, 0, 4, 8, 0]], ends [[0, 4, 7, 9, 0]] give
    starts [[0, 8]], ends [[7, 9]].

    Args:
        first_piece: ragged [batch, (tokens)], 1 where a word begins; any integer type.
        starts: ragged [batch, (tokens)], bytes; 0 for [CLS] and [SEP].
        ends: the same.

    Returns:
        starts, ends: ragged [batch, (words)], of the type given.
    """
    words = tf.cast(tf.reduce_sum(first_piece, axis=1), tf.int64)
    begins = tf.boolean_mask(starts.values, tf.equal(first_piece.values, 1))
    # [SEP] and the next [CLS] fall to the word before them: their end is 0 and never the greatest.
    word = tf.cumsum(first_piece.values)
    reaches = tf.math.segment_max(ends.values, word)[1:]  # the first segment is before all words
    begins, reaches = (
        tf.RaggedTensor.from_row_lengths(values, words, validate=False)
        for values in (begins, reaches)
    )
    return begins, reaches
