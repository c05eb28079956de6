"""The classification head."""

import numpy as np
import tensorflow as tf

from trainer.model.classify import ClassifyHead
from trainer.model.config import EncoderConfig

POOLED = np.random.default_rng(0).normal(size=(4, 8)).astype(np.float32)


def test_logits_are_one_product(tiny: EncoderConfig) -> None:
    head = ClassifyHead(tiny, classes=3)
    head.logits.bias.assign([1.0, 2.0, 3.0])
    expected = POOLED @ np.asarray(head.logits.kernel) + [1, 2, 3]
    np.testing.assert_allclose(head(POOLED), expected, atol=1e-6)
    assert [weight.path for weight in head.weights] == [
        "classify/logits/kernel",
        "classify/logits/bias",
    ]


def test_first_weights_follow_from_the_seed(tiny: EncoderConfig) -> None:
    kernels = [np.asarray(ClassifyHead(tiny, 3, seed=seed).logits.kernel) for seed in (1, 1, 2)]
    assert np.array_equal(kernels[0], kernels[1])
    assert not np.array_equal(kernels[0], kernels[2])


def test_dropout_in_training_only_and_by_seed(tiny: EncoderConfig) -> None:
    head, seed = ClassifyHead(tiny, 3), tf.constant([3, 4])
    still, dropped = head(POOLED, seed=seed), head(POOLED, training=True, seed=seed)
    np.testing.assert_array_equal(still, head(POOLED))
    np.testing.assert_array_equal(dropped, head(POOLED, training=True, seed=seed))
    assert np.abs(still - dropped).max() > 1e-3


def test_no_rows(tiny: EncoderConfig) -> None:
    assert ClassifyHead(tiny, 3)(POOLED[:0]).shape == (0, 3)
