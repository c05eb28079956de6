"""A bidirectional LSTM over the words of each row, in plain ops that any CPU server has.

Sources: Hochreiter and Schmidhuber 1997, https://doi.org/10.1162/neco.1997.9.8.1735, with the
forget gate of Gers et al. 2000; between encoder and CRF as in Huang et al. 2015,
https://arxiv.org/abs/1508.01991.

Letters in the shape comments: B rows, W words of the longest, H width, U units of a direction.
One step, for a word's input x and the state (h, c) before it, all gates from one product:

    i, f, g, o = split(x·kernel + h·recurrent + bias)          each [U], in this order
    c = sigmoid(f)·c + sigmoid(i)·tanh(g)          h = sigmoid(o)·tanh(c)

First weights: the kernel Glorot uniform, the recurrent kernel orthogonal, biases 0 but the forget
gate's, 1 (Jozefowicz et al. 2015, https://proceedings.mlr.press/v37/jozefowicz15.html).
"""

import random
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf


class BiLSTM(keras.layers.Layer):
    """Reads every row from both ends; the backward direction begins at the row's last word.

    Args:
        width: H, of what goes in.
        units: U, of each direction.
        seed: of the first weights.
    """

    def __init__(self, width: int, units: int, seed: int = 0, name: str = "bilstm") -> None:
        super().__init__(name=name)
        self.width, self.units, self.seed = width, units, seed
        self.build()

    def build(self, *_: Any) -> None:
        """Makes ``kernel`` [2, H, 4·U], ``recurrent`` [2, U, 4·U], ``bias`` [2·4·U].

        The direction first, forward before backward.
        """
        draws, gates = random.Random(self.seed), 4 * self.units
        kernel = [keras.initializers.GlorotUniform(draws.getrandbits(31)) for _ in range(2)]
        recurrent = [keras.initializers.Orthogonal(seed=draws.getrandbits(31)) for _ in range(2)]
        forget = np.repeat([0.0, 1.0, 0.0, 0.0], self.units)
        self.kernel = self._weight("kernel", [make([self.width, gates]) for make in kernel])
        self.recurrent = self._weight(
            "recurrent", [make([self.units, gates]) for make in recurrent]
        )
        # Of one dimension, and so without weight decay.
        self.bias = self._weight("bias", np.concatenate([forget, forget]))

    def _weight(self, name: str, first: Any) -> keras.Variable:
        first = np.asarray(first, np.float32)
        return self.add_weight(
            name=name, shape=first.shape, initializer=lambda *_, **__: tf.constant(first)
        )

    def call(self, x: tf.Tensor, lengths: tf.Tensor) -> tf.Tensor:
        """Encodes rows.

        Args:
            x: [B, W, H] float; what stands from ``lengths`` on counts for nothing.
            lengths: [B] int32.

        Returns:
            [B, W, 2·U], forward beside backward, 0 at padding.
        """
        words = tf.shape(x)[1]
        x = tf.pad(x, [[0, 0], [0, tf.maximum(1 - words, 0)], [0, 0]])  # the loop wants one
        real = tf.sequence_mask(lengths, tf.shape(x)[1])[:, :, None]
        x = tf.where(real, x, tf.zeros_like(x))
        both_ways = tf.stack([x, _turn(x, lengths)])  # [2, B, W, H]
        forward, backward = tf.unstack(self._read(both_ways))
        out = tf.concat([forward, _turn(backward, lengths)], axis=-1)
        return tf.where(real, out, tf.zeros_like(out))[:, :words]

    def _read(self, x: tf.Tensor) -> tf.Tensor:
        """[2, B, W, H] ▶ [2, B, W, U], each direction from the first word to the last."""
        _, rows, words, _ = tf.unstack(tf.shape(x))
        gates = tf.reshape(x, [2, rows * words, self.width]) @ self.kernel
        gates += tf.reshape(self.bias, [2, 1, 4 * self.units])
        gates = tf.reshape(gates, [2, rows, words, 4 * self.units])
        gates = tf.transpose(gates, [2, 0, 1, 3])  # [W, 2, B, 4·U]
        h = _lstm(gates, tf.convert_to_tensor(self.recurrent))
        return tf.transpose(h, [1, 2, 0, 3])


@tf.custom_gradient
def _lstm(gates: tf.Tensor, recurrent: tf.Tensor) -> tuple[tf.Tensor, Callable]:
    """The loop: gates before the state is added, [W, 2, B, 4·U], and recurrent [2, U, 4·U] ▶ h of
    every word, [W, 2, B, U]."""
    nothing = tf.zeros_like(gates[0, :, :, : recurrent.shape[1]])  # [2, B, U]

    def step(before: tuple[tf.Tensor, tf.Tensor], gates: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        h, c = before
        i, f, g, o = _open(gates + h @ recurrent)
        c = f * c + i * g
        return o * tf.tanh(c), c

    h, c = tf.scan(step, gates, (nothing, nothing))
    return h, lambda upstream: _back_through_time(upstream, gates, recurrent, h, c)


def _back_through_time(
    upstream: tf.Tensor, gates: tf.Tensor, recurrent: tf.Tensor, h: tf.Tensor, c: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor]:
    """Gradients of gates and recurrent, given that of h.

    What does not hang on the step after is computed for all words at once; TensorFlow's own
    gradient of a loop does everything step by step, and takes time by the square of the words.
    """
    h_before, c_before = (tf.concat([tf.zeros_like(x[:1]), x[:-1]], axis=0) for x in (h, c))
    i, f, g, o = _open(gates + h_before @ recurrent)
    tanh_c = tf.tanh(c)
    h_by_c = o * (1 - tf.square(tanh_c))
    slopes = (g * i * (1 - i), c_before * f * (1 - f), i * (1 - tf.square(g)), tanh_c * o * (1 - o))
    by_gates = tf.concat(slopes, axis=-1)  # of c by i, f, g; of h by o

    def step(after: tuple[tf.Tensor, ...], word: tuple[tf.Tensor, ...]) -> tuple[tf.Tensor, ...]:
        dh, dc, _ = after
        upstream, h_by_c, by_gates, f = word
        dh += upstream
        dc += dh * h_by_c
        dgates = tf.concat([dc, dc, dc, dh], axis=-1) * by_gates
        return tf.matmul(dgates, recurrent, transpose_b=True), dc * f, dgates

    nothing = (tf.zeros_like(h[0]), tf.zeros_like(c[0]), tf.zeros_like(gates[0]))
    *_, dgates = tf.scan(step, (upstream, h_by_c, by_gates, f), nothing, reverse=True)
    return dgates, tf.einsum("wdbu,wdbg->dug", h_before, dgates)


def _open(gates: tf.Tensor) -> tuple[tf.Tensor, ...]:
    """[…, 4·U] ▶ i, f, g, o, […, U] each."""
    i, f, g, o = tf.split(gates, 4, axis=-1)
    return tf.sigmoid(i), tf.sigmoid(f), tf.tanh(g), tf.sigmoid(o)


def _turn(x: tf.Tensor, lengths: tf.Tensor) -> tf.Tensor:
    """[B, W, …], every row's words in reverse, its padding where it was."""
    return tf.reverse_sequence(x, lengths, seq_axis=1, batch_axis=0)
