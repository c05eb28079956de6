"""Writes a tiny SavedModel with the signatures that rawbert's models have.

    python tiny_model.py BASE_PATH VERSION:BIAS …

Run as a process: exporting must leave nothing behind in the one that serves. The classifier counts:
its scores are softmax([pieces, bytes / 10 + BIAS]), so a version can be told by its scores.
"""

import sys
from pathlib import Path

import tensorflow as tf
import tensorflow_text as tf_text
from tensorflow_serving.apis import predict_pb2, prediction_log_pb2

PIECES = ["[PAD]", "[UNK]", "a", "good", "bad", "film", "##s", "!", "é", "日"]
LABELS = ["rotten", "fresh"]
MAX_PIECES = 8
WARMUP_TEXTS = ["a good film", ""]

TEXT = tf.TensorSpec([None], tf.string, name="text")
EXAMPLES = tf.TensorSpec([None], tf.string, name="inputs")


class TinyModel(tf.Module):
    """BertTokenizer in the graph, a vocabulary as an asset, one variable."""

    def __init__(self, vocabulary: Path, bias: float) -> None:
        super().__init__()
        self.vocabulary = tf.saved_model.Asset(str(vocabulary))
        initializer = tf.lookup.TextFileInitializer(
            self.vocabulary, tf.string, tf.lookup.TextFileIndex.WHOLE_LINE,
            tf.int64, tf.lookup.TextFileIndex.LINE_NUMBER,
        )  # fmt: skip
        self.table = tf.lookup.StaticVocabularyTable(initializer, num_oov_buckets=1)
        self.tokenizer = tf_text.BertTokenizer(self.table, lower_case=True)
        self.bias = tf.Variable([0.0, bias])

    def _pieces(self, text: tf.Tensor) -> tf.RaggedTensor:
        return self.tokenizer.tokenize(text).merge_dims(-2, -1)

    def _scores(self, text: tf.Tensor) -> tf.Tensor:
        pieces = tf.cast(self._pieces(text).row_lengths(), tf.float32)
        size = tf.cast(tf.strings.length(text), tf.float32)
        return tf.nn.softmax(tf.stack([pieces, size / 10], axis=1) + self.bias)

    def _labels(self, text: tf.Tensor) -> tf.Tensor:
        return tf.repeat([LABELS], tf.size(text), axis=0)

    @tf.function(input_signature=[TEXT])
    def classify_text(self, text: tf.Tensor) -> dict[str, tf.Tensor]:
        scores = self._scores(text)
        lengths = tf.cast(self._pieces(text).row_lengths(), tf.int32)
        return {
            "label": tf.gather(LABELS, tf.argmax(scores, axis=1)),
            "score": tf.reduce_max(scores, axis=1),
            "labels": self._labels(text),
            "scores": scores,
            "dropped_tokens": tf.maximum(lengths - MAX_PIECES, 0),
        }

    @tf.function(input_signature=[TEXT])
    def tokenize(self, text: tf.Tensor) -> dict[str, tf.Tensor]:
        ids = self._pieces(text)
        words = tf.gather([*PIECES, "[OOV]"], ids)
        return {
            "pieces": _dense(words, ""),
            "input_word_ids": _dense(tf.cast(ids, tf.int32), 0),
            "n_pieces": tf.cast(ids.row_lengths(), tf.int32),
        }

    @tf.function(input_signature=[EXAMPLES])
    def classify(self, inputs: tf.Tensor) -> dict[str, tf.Tensor]:
        text = self._text_of(inputs)
        return {"classes": self._labels(text), "scores": self._scores(text)}

    @tf.function(input_signature=[EXAMPLES])
    def regress(self, inputs: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"outputs": self._scores(self._text_of(inputs))[:, 1]}

    @tf.function(
        input_signature=[tf.TensorSpec([None, 2], tf.float32), tf.TensorSpec([None], tf.int32)]
    )
    def numbers(self, x: tf.Tensor, k: tf.Tensor) -> dict[str, tf.Tensor]:
        """Two inputs that are no strings; 1 / k is not finite where k is 0."""
        return {"inverse": 1.0 / tf.cast(k, tf.float32), "sum": tf.reduce_sum(x, axis=1)}

    @tf.function(input_signature=[TEXT])
    def raw(self, text: tf.Tensor) -> dict[str, tf.Tensor]:
        """Gives strings back as they are, by a plain name and by one that says bytes."""
        return {"same": text, "same_bytes": text}

    def _text_of(self, examples: tf.Tensor) -> tf.Tensor:
        features = {"text": tf.io.FixedLenFeature([], tf.string, default_value="")}
        return tf.io.parse_example(examples, features)["text"]


def _dense(ragged: tf.RaggedTensor, pad: str | int) -> tf.Tensor:
    """`[batch, (n)]` padded to `[batch, max(n, 1)]`."""
    dense = ragged.to_tensor(pad)
    missing = 1 - tf.minimum(tf.shape(dense)[1], 1)
    return tf.pad(dense, [[0, 0], [0, missing]], constant_values=pad)


def write(base: Path, version: int, bias: float) -> Path:
    """Exports one version with its warm-up requests."""
    base.mkdir(parents=True, exist_ok=True)
    vocabulary = base / "vocab.txt"
    vocabulary.write_text("\n".join(PIECES) + "\n", encoding="utf-8")
    model = TinyModel(vocabulary, bias)
    folder = base / str(version)
    signatures = {
        "serving_default": model.classify_text,
        "tokenize": model.tokenize,
        "classify": model.classify,
        "regress": model.regress,
        "numbers": model.numbers,
        "raw": model.raw,
    }
    tf.saved_model.save(model, str(folder), signatures=signatures)
    vocabulary.unlink()
    _name_methods(folder)
    _write_warmup(folder)
    return folder


def _name_methods(folder: Path) -> None:
    updater = tf.compat.v1.saved_model.signature_def_utils.MethodNameUpdater(str(folder))
    for method in ("classify", "regress"):
        updater.replace_method_name(method, f"tensorflow/serving/{method}", tags="serve")
    updater.save()


def _write_warmup(folder: Path) -> None:
    (folder / "assets.extra").mkdir()
    request = predict_pb2.PredictRequest()
    request.model_spec.signature_name = "serving_default"
    request.inputs["text"].CopyFrom(tf.make_tensor_proto(WARMUP_TEXTS))
    log = prediction_log_pb2.PredictionLog()
    log.predict_log.request.CopyFrom(request)
    with tf.io.TFRecordWriter(str(folder / "assets.extra/tf_serving_warmup_requests")) as writer:
        writer.write(log.SerializeToString())


if __name__ == "__main__":
    for argument in sys.argv[2:]:
        number, _, bias = argument.partition(":")
        write(Path(sys.argv[1]), int(number), float(bias or 0))
