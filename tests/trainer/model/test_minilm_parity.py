"""The encoder, the NumPy forward and transformers agree on the real MiniLM weights."""

import json
from pathlib import Path

import numpy as np
import pytest
from numpy_bert import NumpyBert

from trainer.model.checkpoints import safetensors
from trainer.model.config import EncoderConfig
from trainer.model.encoder import Encoder

LENGTHS = {
    "one text of two tokens": [2],
    "one text": [32],
    "equal lengths": [11, 11, 11],
    "padded": [3, 40, 17, 2],
    "one giant among short ones": [5, 128, 4],
}
VECTOR = json.loads(Path(__file__).with_name("minilm_vector.json").read_text())


@pytest.fixture(scope="module")
def encoder(minilm: Path) -> Encoder:
    encoder = Encoder(EncoderConfig.from_json(minilm))
    report = safetensors.load(encoder, minilm)
    assert report.missing == report.wrong_shape == ()
    assert report.unexpected == ("embeddings.position_ids",)
    return encoder


@pytest.fixture(scope="module")
def reference(minilm: Path) -> NumpyBert:
    return NumpyBert(minilm)


@pytest.mark.parametrize("lengths", LENGTHS.values(), ids=LENGTHS.keys())
def test_equals_numpy(encoder: Encoder, reference: NumpyBert, lengths: list[int]) -> None:
    random = np.random.default_rng(7)
    shape = len(lengths), max(lengths)
    ids = random.integers(1000, 30522, shape).astype(np.int32)
    types = random.integers(0, 2, shape).astype(np.int32)  # padding's ids and types are junk
    mask = (np.arange(shape[1]) < np.array(lengths)[:, None]).astype(np.int32)
    ours = encoder(ids, mask, types, return_all=True)
    for row, n in enumerate(lengths):
        expected = reference(ids[row, :n], types[row, :n])
        close(ours.pooled[row], expected.pooled)
        close(ours.sequence[row, :n], expected.hidden_states[-1])
        for state, hidden in zip(ours.hidden_states, expected.hidden_states, strict=True):
            close(state[row, :n], hidden)
        for attention, theirs in zip(ours.attentions, expected.attentions, strict=True):
            close(attention[row, :, :n, :n], theirs)


def test_equals_transformers(encoder: Encoder) -> None:
    ids, mask, types = (np.array(VECTOR[f"input_{x}"]) for x in ("word_ids", "mask", "type_ids"))
    ours = encoder(ids, mask, types, return_all=True)
    real = mask.astype(bool)
    close(ours.pooled, VECTOR["pooled"])
    close(ours.sequence[:, :, :8][real], np.array(VECTOR["sequence"])[real])
    close(ours.hidden_states[3][:, :, :8][real], np.array(VECTOR["layer_3"])[real])
    close(ours.attentions[1][:, 0][real], np.array(VECTOR["attention_of_layer_1_head_0"])[real])


def test_numpy_equals_transformers(reference: NumpyBert) -> None:
    rows = zip(
        VECTOR["input_word_ids"], VECTOR["input_mask"], VECTOR["input_type_ids"], strict=True
    )
    for row, (ids, mask, types) in enumerate(rows):
        n = sum(mask)
        ours = reference(ids[:n], types[:n])
        close(ours.pooled, VECTOR["pooled"][row])
        close(ours.hidden_states[-1][:, :8], VECTOR["sequence"][row][:n])
        close(ours.hidden_states[3][:, :8], VECTOR["layer_3"][row][:n])


def close(ours: object, theirs: object) -> None:
    np.testing.assert_allclose(np.asarray(ours), np.asarray(theirs), rtol=0, atol=1e-4)
