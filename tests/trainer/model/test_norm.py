"""The norm by hand and the one op are one function, and oneDNN has it where there is oneDNN."""

from collections.abc import Callable

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.python.eager import context

from trainer.model.config import EncoderConfig
from trainer.model.dense import products
from trainer.model.lower import Lower
from trainer.model.norm import LayerNorm

WIDTH, EPSILON = 24, 1e-6


@pytest.fixture(scope="module")
def norm() -> LayerNorm:
    made = LayerNorm(EncoderConfig(30, WIDTH, 1, 1, 1, layer_norm_eps=EPSILON))
    made.build([None, WIDTH])
    draw = np.random.default_rng(1)
    made.gamma.assign(draw.normal(size=WIDTH))
    made.beta.assign(draw.normal(size=WIDTH))
    return made


def one_op(norm: LayerNorm) -> Callable[[tf.Tensor], tf.Tensor]:
    """As within an encoder: something before it, something after."""
    with products(constant=True, lower=Lower("bfloat16")):
        return tf.function(
            lambda x: norm(tf.ensure_shape(x, [None, WIDTH]) * 2.0) * 2.0,
            input_signature=[tf.TensorSpec(None)],  # a called function's body knows no rank
            autograph=False,
        ).get_concrete_function()


@pytest.mark.parametrize("tokens", [0, 1, 2, 300])
@pytest.mark.parametrize("size", [1.0, 1e-3, 100.0], ids=["usual", "epsilon counts", "large"])
def test_both_are_the_formula(norm: LayerNorm, tokens: int, size: float) -> None:
    x = np.random.default_rng(tokens).normal(size=(tokens, WIDTH)) * size + size
    centred = x - x.mean(1, keepdims=True)
    scaled = centred / np.sqrt((centred**2).mean(1, keepdims=True) + EPSILON)
    expected = scaled * norm.gamma.numpy() + norm.beta.numpy()
    by_hand = norm(tf.constant(x, tf.float32))
    np.testing.assert_allclose(by_hand, expected, atol=2e-5)
    np.testing.assert_allclose(one_op(norm)(tf.constant(x / 2, tf.float32)) / 2, by_hand, atol=2e-5)


def test_onednn_takes_the_one_op(norm: LayerNorm) -> None:
    context.enable_run_metadata()
    try:
        one_op(norm)(tf.ones([300, WIDTH]))
        graphs = context.export_run_metadata().partition_graphs
    finally:
        context.disable_run_metadata()
    ops = {node.op for graph in graphs for node in graph.node}
    if not any("Mkl" in op for op in ops):
        pytest.skip("TensorFlow does not use oneDNN here")
    assert "_MklLayerNorm" in ops
    assert not any("BatchNorm" in op for op in ops)
