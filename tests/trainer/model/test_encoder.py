"""The encoder's own properties, on one of two layers and eight columns."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from numpy_bert import NumpyBert

from trainer.model.checkpoints import safetensors
from trainer.model.config import EncoderConfig
from trainer.model.encoder import Encoder

SEED = tf.constant([1, 2])


def batch_of(lengths: list[int], seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Random ids and types, also where padding is."""
    random = np.random.default_rng(seed)
    shape = len(lengths), max(lengths)
    ids, types = random.integers(1, 30, shape), random.integers(0, 2, shape)
    mask = np.arange(shape[1]) < np.array(lengths).reshape(-1, 1)
    return ids.astype(np.int32), mask.astype(np.int32), types.astype(np.int32)


@pytest.mark.parametrize("lengths", [[5], [3, 7, 2], [16] * 4, [1]], ids=str)
def test_shapes(tiny: EncoderConfig, lengths: list[int]) -> None:
    rows, longest = len(lengths), max(lengths)
    out = Encoder(tiny)(*batch_of(lengths), return_all=True)
    assert out.sequence.shape == (rows, longest, 8)
    assert out.pooled.shape == (rows, 8)
    assert [state.shape for state in out.hidden_states] == [(rows, longest, 8)] * 3
    assert [each.shape for each in out.attentions] == [(rows, 2, longest, longest)] * 2


def test_batch_without_rows_is_answered(tiny: EncoderConfig) -> None:
    empty = np.zeros((0, 4), np.int32)
    out = Encoder(tiny)(empty, empty, empty)
    assert out.sequence.shape == (0, 4, 8)
    assert out.pooled.shape == (0, 8)


def test_states_and_attentions_only_on_request(tiny: EncoderConfig) -> None:
    encoder, batch = Encoder(tiny), batch_of([4, 6])
    lean, full = encoder(*batch), encoder(*batch, return_all=True)
    assert lean.hidden_states == lean.attentions == ()
    np.testing.assert_array_equal(lean.pooled, full.pooled)
    np.testing.assert_array_equal(full.sequence, full.hidden_states[-1])


@pytest.mark.parametrize("others", [[9], [2, 16], [1, 1, 1]], ids=str)
def test_neighbours_and_padding_change_nothing(tiny: EncoderConfig, others: list[int]) -> None:
    encoder, alone = Encoder(tiny), batch_of([6])
    among = [np.array(part) for part in batch_of([6, *others], seed=3)]
    for part, own in zip(among, alone, strict=True):
        part[0, :6] = own[0]
    one, many = encoder(*alone), encoder(*among)
    np.testing.assert_allclose(many.sequence[0, :6], one.sequence[0], atol=1e-5)
    np.testing.assert_allclose(many.pooled[0], one.pooled[0], atol=1e-5)


def test_attention_is_a_distribution_over_real_tokens(tiny: EncoderConfig) -> None:
    for attention in Encoder(tiny)(*batch_of([3, 7]), return_all=True).attentions:
        np.testing.assert_allclose(tf.reduce_sum(attention, -1), np.ones((2, 2, 7)), atol=1e-6)
        assert np.all(np.asarray(attention)[0, :, :, 3:] == 0)


@pytest.mark.parametrize("part", [0, 2], ids=["ids", "types"])
def test_every_input_counts(tiny: EncoderConfig, part: int) -> None:
    encoder, batch = Encoder(tiny), batch_of([6])
    before = encoder(*batch).pooled
    batch[part][0, 4] = 1 - batch[part][0, 4] if part else 7
    assert np.abs(encoder(*batch).pooled - before).max() > 1e-3


def test_order_counts(tiny: EncoderConfig) -> None:
    encoder, (ids, mask, types) = Encoder(tiny), batch_of([6])
    swapped = ids[:, [0, 2, 1, 3, 4, 5]]
    assert (
        np.abs(encoder(ids, mask, types).pooled - encoder(swapped, mask, types).pooled).max() > 0.01
    )


@pytest.mark.parametrize("activation", ["gelu", "gelu_new", "relu"])
def test_equals_numpy_with_each_activation(
    tiny: EncoderConfig, activation: str, tmp_path: Path
) -> None:
    encoder = Encoder(replace(tiny, activation=activation, layer_norm_eps=1e-3))
    for number, weight in enumerate(encoder.weights):  # biases and norms too, which start at 0, 1
        weight.assign(np.random.default_rng(number).normal(size=weight.shape))
    safetensors.save(encoder, tmp_path)
    ids, mask, types = batch_of([9])
    expected = NumpyBert(tmp_path)(ids[0], types[0])
    ours = encoder(ids, mask, types)
    np.testing.assert_allclose(ours.sequence[0], expected.hidden_states[-1], atol=1e-4)
    np.testing.assert_allclose(ours.pooled[0], expected.pooled, atol=1e-4)


def test_first_weights_follow_from_the_seed(tiny: EncoderConfig) -> None:
    first, again, other = (Encoder(tiny, seed=seed).get_weights() for seed in (1, 1, 2))
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    assert not any(np.array_equal(a, b) for a, b in zip(first, other, strict=True) if a.ndim > 1)


def test_first_weights_are_truncated_normal_and_differ_by_layer() -> None:
    encoder = Encoder(EncoderConfig(500, 64, 2, 4, 256))
    words = np.asarray(encoder.embeddings.words)
    assert 0.016 < words.std() < 0.02  # 0.88 x 0.02: cut at two deviations
    assert np.abs(words).max() <= 0.04
    kernels = [np.asarray(layer.attention.qkv.kernel) for layer in encoder.layers]
    assert not np.array_equal(*kernels)


def test_dropout_follows_from_the_seed_and_is_off_in_inference(tiny: EncoderConfig) -> None:
    encoder, batch = Encoder(tiny), batch_of([5, 8])
    still = encoder(*batch).pooled
    np.testing.assert_array_equal(encoder(*batch, seed=SEED).pooled, still)
    dropped = encoder(*batch, training=True, seed=SEED).pooled
    np.testing.assert_array_equal(encoder(*batch, training=True, seed=SEED).pooled, dropped)
    for other in (still, encoder(*batch, training=True, seed=SEED + 1).pooled):
        assert np.abs(dropped - other).max() > 1e-3
    drawn = [encoder(*batch, training=True).pooled for _ in range(2)]
    assert np.abs(drawn[0] - drawn[1]).max() > 1e-3


@pytest.mark.parametrize("place", ["dropout", "attention_dropout"])
def test_each_rate_of_dropout_works_alone(tiny: EncoderConfig, place: str) -> None:
    none = replace(tiny, dropout=0.0, attention_dropout=0.0)
    batch, weights = batch_of([5, 8]), Encoder(tiny).get_weights()
    pooled = []
    for config in (none, replace(none, **{place: 0.5})):
        encoder = Encoder(config)
        encoder.set_weights(weights)
        pooled.append(encoder(*batch, training=True, seed=SEED).pooled)
    assert np.abs(pooled[0] - pooled[1]).max() > 1e-3


def test_gradients_reach_every_variable(tiny: EncoderConfig) -> None:
    encoder = Encoder(tiny)
    with tf.GradientTape() as tape:
        out = encoder(*batch_of([5, 8]), training=True, seed=SEED)
        loss = tf.reduce_sum(out.pooled**2) + tf.reduce_sum(out.sequence[:, 1:] ** 3)
    gradients = tape.gradient(loss, [variable.value for variable in encoder.trainable_variables])
    for variable, gradient in zip(encoder.trainable_variables, gradients, strict=True):
        values = tf.convert_to_tensor(gradient).numpy()
        assert np.isfinite(values).all(), variable.path
        assert np.abs(values).max() > 1e-6, variable.path


def test_traced_once_for_all_shapes(tiny: EncoderConfig) -> None:
    encoder, spec = Encoder(tiny), tf.TensorSpec([None, None], tf.int32)
    traced = tf.function(lambda *batch: encoder(*batch), input_signature=[spec] * 3)
    for lengths in ([5], [3, 7], [16] * 4):
        batch = batch_of(lengths)
        np.testing.assert_allclose(traced(*batch).pooled, encoder(*batch).pooled, atol=1e-6)
    assert traced.experimental_get_tracing_count() == 1


NAMES = [
    "embeddings/words",
    "embeddings/positions",
    "embeddings/types",
    "embeddings/norm/gamma",
    "embeddings/norm/beta",
    "layer_0/attention/qkv/kernel",
    "layer_0/attention/qkv/bias",
    "layer_0/attention/output/kernel",
    "layer_0/attention/output/bias",
    "layer_0/attention/norm/gamma",
    "layer_0/attention/norm/beta",
    "layer_0/feed_forward/inner/kernel",
    "layer_0/feed_forward/inner/bias",
    "layer_0/feed_forward/output/kernel",
    "layer_0/feed_forward/output/bias",
    "layer_0/feed_forward/norm/gamma",
    "layer_0/feed_forward/norm/beta",
    "pooler/kernel",
    "pooler/bias",
]


def test_names_of_variables_are_stable(tiny: EncoderConfig) -> None:
    encoder = Encoder(replace(tiny, num_layers=1))
    assert [weight.path for weight in encoder.weights] == [f"encoder/{name}" for name in NAMES]
    one_dimensional = {weight.name for weight in encoder.weights if len(weight.shape) == 1}
    assert one_dimensional == {"bias", "gamma", "beta"}  # what weight decay leaves alone


@pytest.fixture(params=["mixed_bfloat16", "mixed_float16"])
def policy(request: pytest.FixtureRequest) -> Iterator[str]:
    usual = keras.config.dtype_policy()
    keras.config.set_dtype_policy(request.param)
    yield request.param
    keras.config.set_dtype_policy(usual)


def test_lower_precision_stays_near_and_finite(tiny: EncoderConfig, policy: str) -> None:
    half, batch = Encoder(tiny), batch_of([5, 12])
    pooled = half(*batch).pooled
    keras.config.set_dtype_policy("float32")
    full = Encoder(tiny)
    full.set_weights(half.get_weights())
    assert pooled.dtype == policy.removeprefix("mixed_")
    np.testing.assert_allclose(tf.cast(pooled, tf.float32), full(*batch).pooled, atol=0.1)
