"""Layer normalization, by hand or as the one op that oneDNN has for it.

Source: Ba et al. 2016, https://arxiv.org/abs/1607.06450.

By hand is nine ops that read the tokens from memory again and again: 10 µs for 8 tokens of 384, 15
for 24, 52 for 128, 364 for 900. TensorFlow replaces fused batch norm over tokens as channels, with
scale and shift that are constants, by oneDNN's layer norm: 18, 19, 28 and 100 µs. Not where it has
no oneDNN (there it makes an encoder 18 % slower), not with variables (TensorFlow 2.16 takes their
handles for their values and fails), and of norms by `tf.nn.moments`, which it replaces, too, it
does not read epsilon. So it is for bfloat16, which pays where oneDNN is.
"""

from typing import Any

import keras
import tensorflow as tf

from trainer.model.config import EncoderConfig
from trainer.model.dense import current, present
from trainer.model.gradients import layer_norm


class LayerNorm(keras.layers.Layer):
    """Mean 0 and variance 1 over the width, then scale and shift."""

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__(name="norm")
        self.epsilon = config.layer_norm_eps

    def build(self, shape: Any) -> None:
        """Makes gamma and beta, [H] each."""
        self.gamma = self.add_weight(name="gamma", shape=shape[-1:], initializer="ones")
        self.beta = self.add_weight(name="beta", shape=shape[-1:], initializer="zeros")

    def call(self, x: tf.Tensor) -> tf.Tensor:
        """[..., H] ▶ [..., H]."""
        now = current()
        if now.constant and now.lower and now.lower.dtype == tf.bfloat16 and len(x.shape) == 2:
            return self._one_op(x)
        if now.gradients and len(x.shape) == 2:
            gamma, beta = map(tf.convert_to_tensor, (self.gamma, self.beta))
            return layer_norm(x, gamma, beta, tf.constant(self.epsilon, x.dtype))
        # tf.nn.moments, or a fused batch norm that stays one, makes an encoder 18 % slower.
        x -= tf.reduce_mean(x, axis=-1, keepdims=True)
        variance = tf.reduce_mean(tf.square(x), axis=-1, keepdims=True)
        return x * tf.math.rsqrt(variance + self.epsilon) * self.gamma + self.beta

    def _one_op(self, x: tf.Tensor) -> tf.Tensor:
        """[N, H] ▶ [N, H]; in the very form that TensorFlow's remapper looks for."""
        x = tf.ensure_shape(x, [None, x.shape[1]])  # which a called function's body does not know
        shape, none = tf.shape(x), tf.constant([], x.dtype)
        tokens = shape[0]
        normal = tf.raw_ops.FusedBatchNormV3(
            x=tf.reshape(x, tf.stack([1, tokens, x.shape[1], 1])),
            scale=tf.fill([tokens], 1.0), offset=tf.fill([tokens], 0.0), mean=none, variance=none,
            epsilon=self.epsilon, data_format="NCHW", is_training=True,
        )  # fmt: skip
        gamma, beta = (present(variable, x.dtype) for variable in (self.gamma, self.beta))
        return tf.reshape(normal.y, shape) * gamma + beta
