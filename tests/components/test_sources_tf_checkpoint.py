"""Google's BERTs in both of TensorFlow's formats become the very tensors they were."""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
import tiny_encoder
from safetensors.numpy import load

from components.encoder_folder import lay_out
from trainer.errors import BadInput

TENSORS = load(tiny_encoder.files()["model.safetensors"])
CONFIG = tiny_encoder.files()["config.json"]
HEADS = 2
# transformers' piece of a name ▶ the original's, and the Model Garden's in place of both.
ORIGINAL = [("encoder.layer.", "encoder/layer_"), (".", "/")]
GARDEN = [
    ("bert/embeddings/word_embeddings", "word_embeddings/embeddings"),
    ("bert/embeddings/position_embeddings", "position_embedding/embeddings"),
    ("bert/embeddings/token_type_embeddings", "type_embeddings/embeddings"),
    ("bert/embeddings/LayerNorm", "embeddings/layer_norm"),
    ("bert/encoder", "transformer"),
    ("attention/self", "self_attention"),
    ("attention/output/dense", "self_attention/attention_output"),
    ("attention/output/LayerNorm", "self_attention_layer_norm"),
    ("intermediate/dense", "intermediate"),
    ("output/dense", "output"),
    ("output/LayerNorm", "output_layer_norm"),
    ("bert/pooler/dense", "pooler_transform"),
]


def original() -> Iterator[tuple[str, np.ndarray]]:
    """The tensors under the original's names, kernels [in, out]."""
    for name, values in TENSORS.items():
        stem, _, ending = name.rpartition(".")
        for old, new in ORIGINAL:
            stem = stem.replace(old, new)
        if "LayerNorm" in stem:
            yield f"bert/{stem}/{'gamma' if ending == 'weight' else 'beta'}", values
        elif stem.endswith("_embeddings"):
            yield f"bert/{stem}", values
        else:
            kernel = ending == "weight"
            yield f"bert/{stem}/{'kernel' if kernel else 'bias'}", values.T if kernel else values


def garden() -> Iterator[tuple[str, np.ndarray]]:
    """The tensors under the Model Garden's names, with an axis for the heads."""
    for name, values in original():
        if "attention/self" in name:
            values = values.reshape(*values.shape[:-1], HEADS, -1)
        elif "attention/output/dense/kernel" in name:
            values = values.reshape(HEADS, -1, values.shape[-1])
        for old, new in GARDEN:
            name = name.replace(old, new)
        yield name, values


@pytest.fixture(scope="module")
def original_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("original")
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        for name, values in [*original(), ("cls/predictions/output_bias", np.zeros(3))]:
            tf.compat.v1.get_variable(name, initializer=values)
        session.run(tf.compat.v1.global_variables_initializer())
        tf.compat.v1.train.Saver().save(session, str(folder / "bert_model.ckpt"))
    (folder / "bert_config.json").write_bytes(CONFIG)
    (folder / "vocab.txt").write_bytes(tiny_encoder.files()["vocab.txt"])
    return folder


@pytest.fixture(params=["erf", "tanh"])
def saved_model(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Path, str]:
    """A SavedModel with the Model Garden's variables, and its activation's name."""
    (tmp_path / "vocab.txt").write_bytes(tiny_encoder.files()["vocab.txt"])
    op = getattr(tf.math, request.param)
    model = tf.Module()
    model.weights = [tf.Variable(values, name=name) for name, values in garden()]
    model.vocab_file = tf.saved_model.Asset(str(tmp_path / "vocab.txt"))
    model.do_lower_case = tf.Variable(False, trainable=False)
    model.call = tf.function(op, input_signature=[tf.TensorSpec([None], tf.float32)])
    tf.saved_model.save(model, str(tmp_path / "model"))
    return tmp_path / "model", {"erf": "gelu", "tanh": "gelu_new"}[request.param]


def assert_same_tensors(folder: Path) -> None:
    found = load((folder / "model.safetensors").read_bytes())
    assert sorted(found) == sorted(TENSORS)
    for name, values in TENSORS.items():
        np.testing.assert_array_equal(found[name], values, err_msg=name)


def test_the_original_release(original_folder: Path, tmp_path: Path) -> None:
    (original_folder / "tokenizer_config.json").write_text('{"do_lower_case": true}')
    said = lay_out(str(original_folder), tmp_path / "out")
    (original_folder / "tokenizer_config.json").unlink()
    assert_same_tensors(tmp_path / "out")
    assert json.loads((tmp_path / "out" / "config.json").read_text()) == json.loads(CONFIG)
    assert said["lower_case"] is True


def test_the_original_does_not_say_whether_it_is_cased(
    original_folder: Path, tmp_path: Path
) -> None:
    with pytest.raises(BadInput, match="whether the encoder is cased") as caught:
        lay_out(str(original_folder), tmp_path / "out")
    assert "tokenizer_config.json" in caught.value.fix


def test_a_saved_model_of_the_model_garden(saved_model: tuple[Path, str], tmp_path: Path) -> None:
    folder, activation = saved_model
    said = lay_out(str(folder), tmp_path / "out")
    assert_same_tensors(tmp_path / "out")
    config = json.loads((tmp_path / "out" / "config.json").read_text())
    assert config == json.loads(CONFIG) | {"hidden_act": activation}
    assert said["lower_case"] is False


def test_another_model_is_refused(tmp_path: Path) -> None:
    model = tf.Module()
    model.kernel = tf.Variable([1.0], name="dense/kernel")
    tf.saved_model.save(model, str(tmp_path / "model"))
    with pytest.raises(BadInput, match="dense/kernel") as caught:
        lay_out(str(tmp_path / "model"), tmp_path / "out")
    assert "hf:" in caught.value.fix


def test_variables_cut_short(saved_model: tuple[Path, str], tmp_path: Path) -> None:
    data = saved_model[0] / "variables" / "variables.data-00000-of-00001"
    data.write_bytes(data.read_bytes()[:100])
    with pytest.raises(BadInput, match="cannot be read"):
        lay_out(str(saved_model[0]), tmp_path / "out")
