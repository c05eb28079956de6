"""Tokenization travels: in a SavedModel that is moved, and through tf.Transform."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import tensorflow as tf
import tensorflow_transform as tft
import tensorflow_transform.beam as tft_beam

from trainer.text.pack import Packed, pack
from trainer.text.tokenize import PieceTokenizer
from trainer.text.vocabulary import Vocabulary

TEXTS = ["plain a b", "É\u0301 a\xadb", "", "b" * 101, "a 中"]
RAGGED = ("input_word_ids", "input_mask", "input_type_ids", "starts", "ends")

# What TensorFlow Serving's loader does: a TF 1 session, no Python of ours.
ASK = """
import sys
import tensorflow as tf, tensorflow_text
with tf.compat.v1.Session(graph=tf.Graph()) as session:
    model = tf.compat.v1.saved_model.load(session, ["serve"], sys.argv[1])
    signature = model.signature_def["serving_default"]
    outputs = {name: info.name for name, info in signature.outputs.items()}
    for texts in ([], sys.argv[2:]):
        answer = session.run(outputs, {signature.inputs["text"].name: texts})
        print(answer["ids"].tolist(), answer["ends"].tolist())
"""


class Model(tf.Module):
    def __init__(self, vocab_path: Path) -> None:
        super().__init__()
        self.tokenizer = PieceTokenizer(str(vocab_path), lower_case=True)

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="text")])
    def tokenize(self, text: tf.Tensor) -> dict[str, tf.Tensor]:
        pieces = self.tokenizer.tokenize(text)
        return {"ids": pieces.ids.to_tensor(-1), "ends": pieces.ends.to_tensor(-1)}


def ask(model: Path, texts: list[str], folder: Path) -> str:
    command = [sys.executable, "-c", ASK, str(model), *texts]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
    return "\n".join(done.stdout.strip().splitlines()[-2:])


def test_a_moved_model_answers_and_names_no_path(write_vocabulary, tmp_path: Path) -> None:
    path = write_vocabulary("a b ##b e")
    tf.saved_model.save(Model(path), str(tmp_path / "saved"))
    moved = tmp_path / "elsewhere" / "model"
    shutil.move(tmp_path / "saved", moved)
    path.unlink()
    assert ask(moved, [*TEXTS[:2], TEXTS[3]], moved) == (
        "[] []\n[[1, 5, 6], [8, 5, 7], [1, -1, -1]] [[5, 7, 9], [4, 6, 9], [101, -1, -1]]"
    )
    written = b"".join(file.read_bytes() for file in moved.rglob("*") if file.is_file())
    assert str(tmp_path).encode() not in written
    assert [file.name for file in (moved / "assets").iterdir()] == ["vocab.txt"]


def test_a_changed_line_of_the_asset_changes_the_ids(write_vocabulary, tmp_path: Path) -> None:
    tf.saved_model.save(Model(write_vocabulary("a b")), str(tmp_path / "saved"))
    asset = tmp_path / "saved" / "assets" / "vocab.txt"
    asset.write_text(asset.read_text().replace("a\nb\n", "b\na\n"))
    assert ask(tmp_path / "saved", ["a b"], tmp_path) == "[] []\n[[6, 5]] [[1, 3]]"


@pytest.fixture
def transformed(write_vocabulary, tmp_path: Path) -> tuple[Path, list[dict], Packed]:
    """TEXTS through tf.Transform, and packed without it."""
    path = str(write_vocabulary("a b ##b e plain 中"))

    def preprocessing_fn(inputs: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        tokenizer = tft.make_and_track_object(lambda: PieceTokenizer(path, True), name="tokenizer")
        packed = pack(tokenizer.tokenize(inputs["text"]), Vocabulary.read(path), max_tokens=4)
        outputs = {name: tf.cast(getattr(packed, name), tf.int64) for name in RAGGED}
        return outputs | {"dropped_tokens": tf.cast(packed.dropped_tokens, tf.int64)}

    metadata = tft.DatasetMetadata.from_feature_spec({"text": tf.io.FixedLenFeature([], tf.string)})
    rows = [{"text": text.encode()} for text in TEXTS]
    with tft_beam.Context(temp_dir=str(tmp_path / "temporary")):
        (data, _), function = (rows, metadata) | tft_beam.AnalyzeAndTransformDataset(
            preprocessing_fn
        )
        _ = function | tft_beam.WriteTransformFn(str(tmp_path / "transform"))
    packed = pack(
        PieceTokenizer(path, True).tokenize(tf.constant(TEXTS)), Vocabulary.read(path), max_tokens=4
    )
    return tmp_path / "transform", data, packed


def test_transform_gives_the_same(transformed: tuple[Path, list[dict], Packed]) -> None:
    output, data, packed = transformed
    layer = tft.TFTransformOutput(str(output)).transform_features_layer()
    again = layer({"text": tf.constant(TEXTS)})
    for name in RAGGED:
        expected = getattr(packed, name).to_list()
        assert [row[f"{name}$ragged_values"].tolist() for row in data] == expected
        assert again[name].to_list() == expected
    assert [row["dropped_tokens"] for row in data] == packed.dropped_tokens.numpy().tolist()
    assert again["dropped_tokens"].numpy().tolist() == packed.dropped_tokens.numpy().tolist()
    vocabularies = list((output / "transform_fn" / "assets").iterdir())
    assert [file.name for file in vocabularies] == ["vocab.txt"]
