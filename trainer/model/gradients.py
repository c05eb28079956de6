"""GELU and layer normalization whose gradients are written out, for training.

TensorFlow's own go through every op of theirs: a dozen passes over memory where these take half.
A graph that is saved would keep references to them, so serving has the plain ones.
"""

from collections.abc import Callable
from math import pi

import tensorflow as tf

Backward = Callable[[tf.Tensor], tuple[tf.Tensor, ...] | tf.Tensor]


@tf.autograph.experimental.do_not_convert
@tf.custom_gradient
def gelu(x: tf.Tensor) -> tuple[tf.Tensor, Backward]:
    """``x · Φ(x)`` of any shape, exact; its derivative is ``Φ(x) + x · φ(x)``.

    Source: Hendrycks and Gimpel 2016, https://arxiv.org/abs/1606.08415.
    """
    scaled = x * 0.5**0.5
    below = (tf.math.erf(scaled) + 1.0) * 0.5  # Φ: the standard normal's share below x

    def backward(upstream: tf.Tensor) -> tf.Tensor:
        density = tf.exp(-tf.square(scaled)) * x * (2.0 * pi) ** -0.5
        return (density + below) * upstream

    return below * x, backward


@tf.autograph.experimental.do_not_convert
@tf.custom_gradient
def layer_norm(
    x: tf.Tensor, gamma: tf.Tensor, beta: tf.Tensor, epsilon: tf.Tensor
) -> tuple[tf.Tensor, Backward]:
    """[N, H], and [H] each ▶ [N, H]; ``epsilon``, a scalar, is given no gradient.

    Source: Ba et al. 2016, https://arxiv.org/abs/1607.06450, differentiated.
    """
    centred = x - tf.reduce_mean(x, axis=-1, keepdims=True)
    inverse = tf.math.rsqrt(tf.reduce_mean(tf.square(centred), axis=-1, keepdims=True) + epsilon)
    normal = centred * inverse

    def backward(upstream: tf.Tensor) -> tuple[tf.Tensor, ...]:
        along = upstream * normal
        weights = gamma[:, None] / tf.cast(tf.size(gamma), gamma.dtype)
        mean, slope = tf.matmul(upstream, weights), tf.matmul(along, weights)  # [N, 1]
        to_x = (upstream * gamma - mean - normal * slope) * inverse
        return to_x, _over_tokens(along), _over_tokens(upstream), tf.zeros_like(epsilon)

    return normal * gamma + beta, backward


def _over_tokens(x: tf.Tensor) -> tf.Tensor:
    """[N, H] ▶ [H], the sum: by the op for biases, twice as fast as a reduction."""
    return tf.raw_ops.BiasAddGrad(out_backprop=x)
