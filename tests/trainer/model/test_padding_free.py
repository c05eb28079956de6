"""The encoder without padding says what the plain one says, which is its specification."""

from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from serving.ops.check import check as check_ops
from trainer.model.config import EncoderConfig
from trainer.model.encoder import Encoder
from trainer.model.groups import GROUPS, STEP, Flat, filled
from trainer.model.padding_free import FEW_TOKENS, Encoded, encode

RAGGED = [tf.RaggedTensorSpec([None, None], tf.int32)] * 2


class Both(tf.Module):
    """One encoder, asked both ways by graphs that were traced once."""

    def __init__(self, encoder: Encoder) -> None:
        super().__init__()
        self.tracked = [weight.value for weight in encoder.weights]
        self.encoder = lambda: encoder

    @tf.function(input_signature=RAGGED)
    def plain(self, ids: tf.RaggedTensor, types: tf.RaggedTensor) -> Encoded:
        lengths = ids.row_lengths()
        mask = tf.cast(tf.sequence_mask(lengths), tf.int32)
        output = self.encoder()(ids.to_tensor(), mask, types.to_tensor())
        return Encoded(tf.boolean_mask(output.sequence, mask > 0), output.pooled)

    @tf.function(input_signature=RAGGED)
    def free(self, ids: tf.RaggedTensor, types: tf.RaggedTensor) -> Encoded:
        return encode(self.encoder(), ids, types)

    @tf.function(input_signature=RAGGED)
    def constant(self, ids: tf.RaggedTensor, types: tf.RaggedTensor) -> Encoded:
        return encode(self.encoder(), ids, types, constants=True)

    @tf.function(input_signature=RAGGED)
    def pooled(self, ids: tf.RaggedTensor, types: tf.RaggedTensor) -> tf.Tensor:
        return encode(self.encoder(), ids, types, pooled_only=True, constants=True).pooled


@pytest.fixture(scope="module")
def both(tiny: EncoderConfig) -> Both:
    return Both(Encoder(tiny, seed=5))


def texts(lengths: list[int], config: EncoderConfig) -> tuple[tf.RaggedTensor, tf.RaggedTensor]:
    """Ids and types of texts of these lengths."""
    random = np.random.default_rng(sum(lengths))
    splits = np.cumsum([0, *lengths])
    high = (config.vocab_size, config.type_vocab_size)
    values = (random.integers(0, top, splits[-1]).astype(np.int32) for top in high)
    ids, types = (tf.RaggedTensor.from_row_splits(one, splits) for one in values)
    return ids, types


def check(both: Both, lengths: list[int], config: EncoderConfig) -> None:
    """All four agree."""
    given_texts = texts(lengths, config)
    plain = both.plain(*given_texts)
    for free in (both.free(*given_texts), both.constant(*given_texts)):
        np.testing.assert_allclose(free.tokens, plain.tokens, atol=1e-5)
        np.testing.assert_allclose(free.pooled, plain.pooled, atol=1e-5)
    np.testing.assert_allclose(both.pooled(*given_texts), plain.pooled, atol=1e-5)


@pytest.mark.parametrize(
    "lengths",
    [
        [1], [7], [4, 4, 4], [16] * 6, [2, 9], [9, 2], [3, 1, 2], [2] * 9 + [3],
        [2, 2, 2, 16], [16, 2, 2, 2],
    ],
    ids=[
        "one token", "one text", "all alike", "many, all alike", "two, upwards", "two, downwards",
        "fewer than groups", "all alike but one", "a giant at the end", "a giant in front",
    ],
)  # fmt: skip
def test_it_says_what_the_plain_encoder_says(
    both: Both, tiny: EncoderConfig, lengths: list[int]
) -> None:
    check(both, lengths, tiny)


@settings(max_examples=60, deadline=None)
@given(lengths=st.lists(st.integers(1, 16), min_size=1, max_size=4 * GROUPS + 1))
def test_whatever_the_lengths(both: Both, tiny: EncoderConfig, lengths: list[int]) -> None:
    check(both, lengths, tiny)


@pytest.mark.parametrize(
    "tokens, rows", [(1, STEP), (STEP, STEP), (STEP + 1, 2 * STEP)], ids=["one", "full", "one more"]
)
def test_batches_have_few_numbers_of_rows(tokens: int, rows: int) -> None:
    part = tf.range(tokens) + 1
    flat, fillers = filled(Flat(part, part, part))
    assert int(fillers) == rows - tokens
    assert all(one[:tokens].numpy().tolist() == part.numpy().tolist() for one in flat)
    assert all(one[tokens:].numpy().tolist() == [0] * (rows - tokens) for one in flat)


def test_no_texts_are_answered(both: Both, tiny: EncoderConfig) -> None:
    none = texts([], tiny)
    assert both.free(*none).tokens.shape == (0, tiny.hidden_size)
    assert both.constant(*none).tokens.shape == (0, tiny.hidden_size)
    assert both.pooled(*none).shape == (0, tiny.hidden_size)


def test_few_tokens_are_multiplied_by_constants(both: Both, tiny: EncoderConfig) -> None:
    """The constants are the values at export: other variables change many tokens alone."""
    encoder = both.encoder()
    kernel = encoder.layers[0].feed_forward.inner.kernel
    few, many = texts([FEW_TOKENS // 4] * 3, tiny), texts([FEW_TOKENS // 4] * 5, tiny)
    before = [both.constant(*some).pooled for some in (few, many)]
    value = kernel.numpy()
    kernel.assign(2 * value)
    try:
        after = [both.constant(*some).pooled for some in (few, many)]
    finally:
        kernel.assign(value)
    np.testing.assert_array_equal(before[0], after[0])
    assert np.abs(before[1] - after[1]).max() > 1e-3


def test_every_tf_serving_has_its_ops_and_a_tf1_session_runs_it(
    both: Both, tiny: EncoderConfig, tmp_path: Path
) -> None:
    flat = {"ids": tf.int32, "splits": tf.int64}

    @tf.function(input_signature=[tf.TensorSpec([None], kind, name) for name, kind in flat.items()])
    def serve(ids: tf.Tensor, splits: tf.Tensor) -> dict[str, tf.Tensor]:
        ragged = tf.RaggedTensor.from_row_splits(ids, splits, validate=False)
        return both.constant(ragged, tf.zeros_like(ragged))._asdict()

    tf.saved_model.save(both, str(tmp_path), signatures={"serving_default": serve})
    assert check_ops(tmp_path, "2.12") == []
    ids, types = texts([3, 9, 4], tiny)[0], tf.zeros([16], tf.int32)
    fed = {"ids": ids.values.numpy(), "splits": ids.row_splits.numpy()}
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        loaded = tf.compat.v1.saved_model.load(session, ["serve"], str(tmp_path))
        signature = loaded.signature_def["serving_default"]
        feeds = {signature.inputs[name].name: array for name, array in fed.items()}
        answer = session.run({k: v.name for k, v in signature.outputs.items()}, feeds)
    expected = both.plain(ids, ids.with_values(types))
    np.testing.assert_allclose(answer["tokens"], expected.tokens, atol=1e-5)
    np.testing.assert_allclose(answer["pooled"], expected.pooled, atol=1e-5)
