"""The dense product: float32 or below, its weights a variable or a constant of the graph.

TensorFlow's CPU kernels (oneDNN's, which it uses where there is AVX-512 or AMX) repack a product's
weights at every call, and for a handful of tokens that is most of the work. A constant's packed
form is kept, but only one: that of the first number of rows they ever saw. So float32 constants are
for products of few rows, where the form is the same, and variables for all others. In bfloat16 one
form serves any number of rows, and only a constant's product takes bias and GELU along, so there
all are constants. Measured on AVX-512: a text of 8 to 32 pieces in 60 to 85 % of the time in
float32, on a newer one in 93 to 98 %; in bfloat16 with AMX two thirds of it, for one text and for
32. A server grows from 0.9 to 2.2 GB with a model whose products have 42 MB of weights, and its
first request takes 4.1 s, not 1.5, because TensorFlow copies the graph over and over as it is
optimized (perf: `TensorProto::MergeImpl`); so it is the recipe's choice (`serve.constant_weights`).

TF_ONEDNN_ASSUME_FROZEN_WEIGHTS=1 in a server's environment keeps variables' packed forms, too, and
copies no graph. oneDNN 3 has one form for 7 to 80 rows and another for all else, on AVX2 as on
AVX-512 (ONEDNN_VERBOSE=1 tells), so short texts have products of their own (padding_free.py). It
is right where a fused product's right factor never changes, as in every model of rawbert that is
served; training refuses it (frozen.py).

Not done: weights cut into blocks of 64 columns and multiplied as a batch, [blocks, in, 64], take
oneDNN's other kernel (brgemm; ONEDNN_VERBOSE=1 tells), which packs nothing. One BERT-base layer of
8 tokens takes 0.6 of the time then, of 24 tokens 0.9, from 48 on more than now; the weights would
be there twice. Uncut, the same kernel is slower: rows of 12 kB are read against the caches.
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
        gradients: those of activation and norm are written out; see gradients.py.
    """

    constant: bool = False
    lower: Lower | None = None
    gradients: bool = False


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
        lower = _now.lower if self._lowers else None
        if lower and not _now.constant:
            # The bias is added to float32: fused to a product of bfloat16 variables, it would keep
            # oneDNN from using AMX.
            product = tf.cast(tf.matmul(tf.cast(x, lower.dtype), lower(self.kernel)), x.dtype)
            return self.activation(product + self.bias)
        dtype = lower.dtype if lower else x.dtype
        kernel, bias = (_value(variable, dtype) for variable in (self.kernel, self.bias))
        product = tf.nn.bias_add(tf.matmul(tf.cast(x, dtype), kernel), bias)
        return tf.cast(self.activation(product), x.dtype)


def _value(variable: keras.Variable, dtype: tf.DType) -> tf.Tensor:
    return present(variable, dtype) if _now.constant else tf.convert_to_tensor(variable)


def present(variable: keras.Variable, dtype: tf.DType) -> tf.Tensor:
    """A variable's value of now, as a constant of the graph."""
    with tf.init_scope():
        value = tf.cast(variable.value, dtype).numpy()
    return tf.constant(value)
