"""What training computes is what the plain encoder computes, dropout and gradients included."""

from collections.abc import Callable

import numpy as np
import pytest
import tensorflow as tf

from trainer.model.config import EncoderConfig
from trainer.model.encoder import Encoder
from trainer.model.padding_free import encode_padded

LENGTHS = [5, 7, 7, 8]
SEED = (3, 4)
Batch = tuple[tf.Tensor, tf.Tensor, tf.Tensor]


@pytest.fixture(scope="module")
def encoder(tiny: EncoderConfig) -> Encoder:
    return Encoder(tiny, seed=5)


@pytest.fixture
def batch(tiny: EncoderConfig) -> Batch:
    random = np.random.default_rng(3)
    shape = [len(LENGTHS), max(LENGTHS)]
    ids = random.integers(0, tiny.vocab_size, shape).astype(np.int32)
    types = random.integers(0, tiny.type_vocab_size, shape).astype(np.int32)
    return tf.constant(ids), tf.sequence_mask(LENGTHS, dtype=tf.int32), tf.constant(types)


def test_the_same_is_dropped(encoder: Encoder, batch: Batch, tiny: EncoderConfig) -> None:
    plain = encoder(*batch, training=True, seed=SEED)
    ours = encode_padded(encoder, *batch, encoder.dropout_seeds(True, SEED))
    dropped_nothing = encode_padded(encoder, *batch)
    real = tf.reshape(batch[1], [-1]) > 0
    flat = tf.reshape(plain.sequence, [-1, tiny.hidden_size])
    np.testing.assert_allclose(ours.tokens[real], flat[real], atol=1e-5)
    np.testing.assert_allclose(ours.pooled, plain.pooled, atol=1e-5)
    assert np.abs(ours.pooled - dropped_nothing.pooled).max() > 1e-3


def test_where_only_cls_is_read_dropout_still_follows_from_the_seed(
    encoder: Encoder, batch: Batch
) -> None:
    def pooled(*seed: int) -> np.ndarray:
        seeds = encoder.dropout_seeds(True, tf.constant(seed))
        return encode_padded(encoder, *batch, seeds, pooled_only=True).pooled.numpy()

    np.testing.assert_array_equal(pooled(3, 4), pooled(3, 4))
    assert np.abs(pooled(3, 4) - pooled(3, 5)).max() > 1e-3


@pytest.mark.parametrize(
    ("pooled_only", "training"),
    [(False, False), (True, False), (False, True)],
    ids=["all tokens", "[CLS] alone", "with dropout"],
)
def test_values_and_gradients(
    encoder: Encoder, batch: Batch, pooled_only: bool, training: bool
) -> None:
    seeds = encoder.dropout_seeds(training, SEED)

    def gradients(pooled: Callable[[], tf.Tensor]) -> tuple[tf.Tensor, list[tf.Tensor]]:
        with tf.GradientTape() as tape:
            value = pooled()
            loss = tf.reduce_sum(value * tf.range(value.shape[1], dtype=tf.float32))
        found = tape.gradient(loss, [variable.value for variable in encoder.variables])
        return value, [tf.convert_to_tensor(gradient) for gradient in found]

    plain = gradients(lambda: encoder(*batch, training=training, seed=SEED).pooled)
    ours = gradients(lambda: encode_padded(encoder, *batch, seeds, pooled_only).pooled)
    np.testing.assert_allclose(ours[0], plain[0], atol=1e-5)
    for variable, one, other in zip(encoder.variables, ours[1], plain[1], strict=True):
        np.testing.assert_allclose(one, other, atol=1e-4, err_msg=variable.path)
