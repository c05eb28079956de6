"""With TF_ONEDNN_ASSUME_FROZEN_WEIGHTS=1 a server packs a short text's weights once, whatever comes
between, and answers the same."""

import json
import os
import platform
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from trainer.model.config import EncoderConfig
from trainer.model.encoder import Encoder
from trainer.model.padding_free import encode

BETWEEN = [[7] * 8, [120], [3], [81], [40, 70]]
SHORT = [[27], [7], [80], [9, 9]]
LENGTHS = [*BETWEEN, *SHORT]

# As TensorFlow Serving does: a TF 1 session. oneDNN tells each primitive it runs on stdout.
ASK = """
import json
import sys
import numpy as np
import tensorflow as tf
with tf.compat.v1.Session(graph=tf.Graph()) as session:
    model = tf.compat.v1.saved_model.load(session, ["serve"], sys.argv[1])
    signature = model.signature_def["serving_default"]
    pooled, answers = signature.outputs["pooled"].name, []
    for turn in ("first", "second"):
        for lengths in json.loads(sys.argv[3]):
            print(turn, *lengths, flush=True)
            ids = np.arange(sum(lengths)) % 50
            splits = np.cumsum([0, *lengths])
            fed = {signature.inputs["ids"].name: ids, signature.inputs["splits"].name: splits}
            answers.append(session.run(pooled, fed))
np.savez(sys.argv[2], *answers)
"""


@pytest.fixture(scope="module")
def model(tmp_path_factory) -> Path:
    config = EncoderConfig(
        vocab_size=50, hidden_size=64, num_layers=2, num_heads=2, intermediate_size=128,
        max_positions=128,
    )  # fmt: skip
    encoder, module = Encoder(config, seed=3), tf.Module()
    module.tracked = [weight.value for weight in encoder.weights]
    flat = {"ids": tf.int32, "splits": tf.int64}

    @tf.function(input_signature=[tf.TensorSpec([None], kind, name) for name, kind in flat.items()])
    def serve(ids: tf.Tensor, splits: tf.Tensor) -> dict[str, tf.Tensor]:
        ragged = tf.RaggedTensor.from_row_splits(ids, splits, validate=False)
        return {"pooled": encode(encoder, ragged, tf.zeros_like(ragged), pooled_only=True).pooled}

    folder = tmp_path_factory.mktemp("model")
    tf.saved_model.save(module, str(folder), signatures={"serving_default": serve})
    return folder


def ask(model: Path, answers: Path, frozen: bool) -> tuple[list[np.ndarray], dict[str, int]]:
    """Answers, and how often weights were packed for what was asked, by turn and lengths."""
    settings = {
        "ONEDNN_VERBOSE": "1",
        "TF_ENABLE_ONEDNN_OPTS": "1",  # its default without AVX-512 is 0
        "TF_ONEDNN_ASSUME_FROZEN_WEIGHTS": str(int(frozen)),
    }
    command = [sys.executable, "-c", ASK, str(model), str(answers), json.dumps(LENGTHS)]
    done = subprocess.run(
        command, env=os.environ | settings, capture_output=True, text=True, check=True
    )
    packed, asked = {}, ""
    for line in done.stdout.splitlines():
        if line.startswith(("first", "second")):
            asked = line
            packed[asked] = 0
        elif ",reorder," in line and ":ba:" in line and ":AB" in line:
            packed[asked] += 1
    return list(np.load(answers).values()), packed


@pytest.mark.skipif(platform.machine() != "x86_64", reason="TensorFlow has oneDNN on x86 alone")
def test_short_texts_find_their_weights_packed(model: Path, tmp_path: Path) -> None:
    exact, never = ask(model, tmp_path / "exact.npz", frozen=False)
    answers, packed = ask(model, tmp_path / "frozen.npz", frozen=True)
    for one, other in zip(answers, exact, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)
    assert not any(never.values())
    assert packed["first 27"]
    short = [" ".join(["second", *map(str, lengths)]) for lengths in SHORT]
    assert {asked: packed[asked] for asked in short} == dict.fromkeys(short, 0)
