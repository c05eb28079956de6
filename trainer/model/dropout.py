"""Dropout that follows from a seed, so that an interrupted training drops what it would have.

TensorFlow's own draws a float for every number, which takes most of its time on a CPU. Here a draw
is 16 bits, half a word of Philox's: a rate is kept to 1/65536.
"""

import tensorflow as tf

_STEPS = 1 << 16  # that a draw can take


def dropout(x: tf.Tensor, rate: float, seed: tf.Tensor | None) -> tf.Tensor:
    """Zeros a share of the numbers and scales the others up; their expectation stays.

    Args:
        x: of any shape; float.
        rate: of the numbers that are dropped, from 0 to below 1.
        seed: [2] int32, decides which; without one nothing is dropped.
    """
    dropped = min(round(rate * _STEPS), _STEPS - 1)
    if seed is None or not dropped:
        return x
    kept = tf.reshape(_draws(tf.size(x), seed) >= dropped - _STEPS // 2, tf.shape(x))
    return tf.where(kept, x * (_STEPS / (_STEPS - dropped)), 0)


def _draws(count: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    """[count] int16, each value as likely as any."""
    words = tf.random.stateless_uniform(
        [(count + 1) // 2], seed, minval=None, maxval=None, dtype=tf.int32, alg="philox"
    )
    return tf.reshape(tf.bitcast(words, tf.int16), [-1])[:count]
