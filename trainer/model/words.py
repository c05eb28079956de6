"""From tokens to words and back: a word is where its first piece is."""

import tensorflow as tf


def compact(x: tf.Tensor, mask: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Moves what the mask picks to the front of its row; 0 behind it.

    Args:
        x: [rows, tokens] or [rows, tokens, width].
        mask: [rows, tokens] bool.

    Returns:
        [rows, words of the longest] or [rows, words of the longest, width]; lengths [rows] int32.

    ``[[1, 2, 3, 4], [5, 6, 7, 8]]`` with ``[[0, 1, 0, 1], [0, 1, 0, 0]]`` ▶
    ``[[2, 4], [6, 0]]``, ``[2, 1]``.
    """
    lengths = tf.reduce_sum(tf.cast(mask, tf.int32), axis=1)
    longest = tf.reduce_max(tf.concat([lengths, [0]], axis=0))
    shape = tf.concat([[tf.shape(mask)[0], longest], tf.shape(x)[2:]], axis=0)
    words = tf.scatter_nd(_place_in_words(mask), tf.gather_nd(x, tf.where(mask)), shape)
    return tf.ensure_shape(words, [None, None, *x.shape[2:]]), lengths


def expand(words: tf.Tensor, mask: tf.Tensor) -> tf.Tensor:
    """Undoes `compact`: [rows, words, width] ▶ [rows, tokens, width], 0 where the mask is false."""
    values = tf.gather_nd(words, _place_in_words(mask))
    shape = tf.concat([tf.shape(mask), tf.shape(words)[2:]], axis=0)
    tokens = tf.scatter_nd(tf.where(mask), values, tf.cast(shape, tf.int64))
    return tf.ensure_shape(tokens, [None, None, *words.shape[2:]])


def _place_in_words(mask: tf.Tensor) -> tf.Tensor:
    """[picked, 2] int32: row and number in the row of each token that the mask picks."""
    number = tf.cumsum(tf.cast(mask, tf.int32), axis=1) - 1
    picked = tf.where(mask)
    return tf.stack([tf.cast(picked[:, 0], tf.int32), tf.gather_nd(number, picked)], axis=1)
