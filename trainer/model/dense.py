"""The dense product: float32 or below, its weights a variable or a constant of the graph.

TensorFlow's CPU kernels (oneDNN's, which it uses where there is AVX-512 or AMX) repack a product's
weights at every call, and for a handful of tokens that is most of the work. A constant's packed
form is kept, but only one: that of the first number of rows they ever saw. So float32 constants are
for products of few rows, where the form is the same, and variables for all others. In bfloat16 one
form serves any number of rows, and only a constant's product takes bias and GELU along, so there
all are constants. Measured on AVX-512: a text of 8 to 32 pieces in 60 to 85 % of the time in
float32; in bfloat16 with AMX two thirds of it, for one text and for 32. A server grows from 0.9 to
1.9 GB with a model whose products have 42 MB of weights, because TensorFlow copies the graph as it
is optimized; so it is the recipe's choice (`serve.constant_weights`).
"""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import keras
import tensorflow as tf

from trainer.model.lower import Lower


@dataclass(frozen=True)
class Products:
    """How dense products are traced.

    Attributes:
        constant: their weights' present values are in the graph.
        lower: the precision of those that follow it; None: float32.
    """

    constant: bool = False
    lower: Lower | None = None


_now = Products()


@contextlib.contextmanager
def products(**how: Any) -> Iterator[None]:
    """Products that are traced inside are so; ``how``: fields of `Products`, others stay."""
    global _now
    before, _now = _now, replace(_now, **how)
    try:
        yield
    finally:
        _now = before


def current() -> Products:
    """How products are traced now."""
    return _now


class Dense(keras.layers.Dense):
    """``activation(x @ kernel + bias)``, which TensorFlow runs as one fused op on flat tokens.

    Args:
        lowers: whether it follows `Products.lower`.
        settings: Keras's own.
    """

    def __init__(self, *settings: Any, lowers: bool = False, **named: Any) -> None:
        super().__init__(*settings, **named)
        self._lowers = lowers

    def call(self, x: tf.Tensor, *_: Any) -> tf.Tensor:
        """[N, in] ▶ [N, out]."""
        if self._lowers and _now.lower:
            return tf.cast(self._low(tf.cast(x, _now.lower.dtype), _now.lower), x.dtype)
        kernel, bias = (_value(variable) for variable in (self.kernel, self.bias))
        return self.activation(tf.nn.bias_add(tf.matmul(x, kernel), bias))

    def _low(self, x: tf.Tensor, lower: Lower) -> tf.Tensor:
        if _now.constant:
            kernel, bias = lower.constant(self.kernel), lower.constant(self.bias)
            return self.activation(tf.nn.bias_add(tf.matmul(x, kernel), bias))
        # The bias is added to float32: fused to a product of bfloat16 variables, it would keep
        # oneDNN from using AMX.
        product = tf.cast(tf.matmul(x, lower(self.kernel)), self.bias.dtype)
        return self.activation(product + self.bias)


def _value(variable: keras.Variable) -> tf.Tensor:
    if not _now.constant:
        return tf.convert_to_tensor(variable)
    with tf.init_scope():
        value = variable.numpy()
    return tf.constant(value)
