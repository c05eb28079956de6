"""Gradients that are written out are those that TensorFlow derives, in float64."""

from collections.abc import Callable

import numpy as np
import pytest
import tensorflow as tf

from trainer.model import gradients

TOKENS, WIDTH, EPSILON = 7, 5, 1e-6
Function = Callable[..., tf.Tensor]


def plain_gelu(x: tf.Tensor) -> tf.Tensor:
    return x * tf.math.erfc(-x / np.sqrt(2.0)) / 2.0


def plain_layer_norm(x: tf.Tensor, gamma: tf.Tensor, beta: tf.Tensor) -> tf.Tensor:
    mean, variance = tf.nn.moments(x, [-1], keepdims=True)
    return tf.nn.batch_normalization(x, mean, variance, beta, gamma, EPSILON)


def layer_norm(x: tf.Tensor, gamma: tf.Tensor, beta: tf.Tensor) -> tf.Tensor:
    return gradients.layer_norm(x, gamma, beta, tf.constant(EPSILON, x.dtype))


CASES: dict[str, tuple[Function, Function, list[list[int]]]] = {
    "gelu of a matrix": (gradients.gelu, plain_gelu, [[TOKENS, WIDTH]]),
    "gelu of rows": (gradients.gelu, plain_gelu, [[2, TOKENS, WIDTH]]),
    "norm": (layer_norm, plain_layer_norm, [[TOKENS, WIDTH], [WIDTH], [WIDTH]]),
    "norm of one token": (layer_norm, plain_layer_norm, [[1, WIDTH], [WIDTH], [WIDTH]]),
    "norm of none": (layer_norm, plain_layer_norm, [[0, WIDTH], [WIDTH], [WIDTH]]),
}


def value_and_gradients(function: Function, given: list[tf.Tensor]) -> list[tf.Tensor]:
    with tf.GradientTape() as tape:
        tape.watch(given)
        value = function(*given)
        weights = tf.reshape(tf.cos(tf.range(tf.size(value), dtype=tf.float64)), value.shape)
        loss = tf.reduce_sum(value * weights)
    return [value, *tape.gradient(loss, given)]


@pytest.mark.parametrize("size", [1.0, 1e-3, 30.0], ids=["usual", "small", "large"])
@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("compiled", [False, True], ids=["eager", "in a function"])
def test_as_derived(case: str, size: float, compiled: bool) -> None:
    ours, plain, shapes = CASES[case]
    draw = np.random.default_rng(2)
    given = [tf.constant(draw.normal(size=shape) * size) for shape in shapes]
    run = tf.function(value_and_gradients) if compiled else value_and_gradients
    for one, other in zip(run(ours, given), value_and_gradients(plain, given), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-9)
