"""A classifier with the signatures of a pushed model, and variants that no server should get.

The tokenizer is the real one; the head is the mean of one weight a piece.
"""

from collections.abc import Callable
from pathlib import Path

import tensorflow as tf
import tensorflow_text as tf_text

from trainer.text.pack import Packed, pack
from trainer.text.tokenize import PieceTokenizer
from trainer.text.vocabulary import Vocabulary

PIECES = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "good", "bad", "film", "##s", "!"]
LABELS = ["fresh", "rotten"]
MAX_TOKENS = 16

TEXT = tf.TensorSpec([None], tf.string, name="text")
Tensors = dict[str, tf.Tensor]


class AnsweringModel(tf.Module):
    """`logits` and `ids` are changed by variants."""

    def __init__(self, vocabulary: Path) -> None:
        super().__init__()
        self.vocabulary = Vocabulary.read(str(vocabulary))
        self.tokenizer = PieceTokenizer(str(vocabulary), lower_case=True)
        weights = [[0.1 * n, -0.2 * n] for n in range(len(PIECES))]
        self.weights = tf.Variable(weights, name="weights")
        self.change_logits: Callable[[tf.Tensor, Packed], tf.Tensor] = lambda logits, _: logits
        self.of_text: Callable[[tf.Tensor], tf.Tensor] = tf.identity

    def packed(self, text: tf.Tensor) -> Packed:
        pieces = self.tokenizer.tokenize(self.of_text(text))
        return pack(pieces, self.vocabulary, MAX_TOKENS)

    def predict(self, text: tf.Tensor) -> Tensors:
        packed = self.packed(text)
        logits = tf.reduce_mean(tf.gather(self.weights, packed.input_word_ids), axis=1)
        scores = tf.nn.softmax(self.change_logits(logits, packed))
        return {
            "label": tf.gather(LABELS, tf.argmax(scores, -1)),
            "score": tf.reduce_max(scores, -1),
            "labels": tf.repeat([LABELS], tf.shape(scores)[0], axis=0),
            "scores": scores,
            "dropped_tokens": packed.dropped_tokens,
        }

    def tokenize(self, text: tf.Tensor) -> Tensors:
        packed = self.packed(text)
        ids = packed.input_word_ids
        return {
            "pieces": self.tokenizer.piece_strings(ids).to_tensor(""),
            "input_word_ids": ids.to_tensor(self.vocabulary.pad),
            "input_type_ids": packed.input_type_ids.to_tensor(0),
            "starts": packed.starts.to_tensor(-1),
            "ends": packed.ends.to_tensor(-1),
            "n_pieces": tf.cast(ids.row_lengths(), tf.int32),
            "dropped_tokens": packed.dropped_tokens,
        }

    def transform_features(self, examples: tf.Tensor) -> Tensors:
        ids = self.packed(parse(examples)).input_word_ids.to_tensor(self.vocabulary.pad)
        return {"input_word_ids": tf.cast(ids, tf.int64), "label": -tf.ones_like(ids[:, 0])}

    def embed(self, text: tf.Tensor) -> Tensors:
        mean = tf.reduce_mean(tf.gather(self.weights, self.packed(text).input_word_ids), axis=1)
        return {"pooled": tf.tanh(mean), "mean": mean}

    def signatures(self) -> dict[str, object]:
        predict = tf.function(self.predict, input_signature=[TEXT])  # traced once, for three

        def classify(inputs: tf.Tensor) -> Tensors:
            answer = predict(parse(inputs))
            return {"classes": answer["labels"], "scores": answer["scores"]}

        examples = tf.TensorSpec([None], tf.string, name="examples")
        inputs = tf.TensorSpec([None], tf.string, name="inputs")
        table = {
            "serving_default": (predict, TEXT),
            "examples": (lambda examples: predict(parse(examples)), examples),
            "tokenize": (self.tokenize, TEXT),
            "transform_features": (self.transform_features, examples),
            "embed": (self.embed, TEXT),
            "classify": (classify, inputs),
        }
        return {
            name: tf.function(function, input_signature=[spec]).get_concrete_function()
            for name, (function, spec) in table.items()
        }


def parse(examples: tf.Tensor) -> tf.Tensor:
    """[batch] serialized tf.Examples ▶ [batch] texts."""
    return tf.io.parse_example(examples, {"text": tf.io.FixedLenFeature([], tf.string)})["text"]


def export(model: AnsweringModel, folder: Path, signatures: dict[str, object] | None = None) -> str:
    """Writes the SavedModel where a Trainer would, and gives the artifact's folder."""
    saved = folder / "Format-Serving"
    tf.saved_model.save(model, str(saved), signatures=signatures or model.signatures())
    updater = tf.compat.v1.saved_model.signature_def_utils.MethodNameUpdater(str(saved))
    updater.replace_method_name("classify", "tensorflow/serving/classify", tags="serve")
    updater.save()
    return str(folder)


def new_op(logits: tf.Tensor, packed: Packed) -> tf.Tensor:
    filled = tf.raw_ops.RaggedFillEmptyRows(
        value_rowids=tf.zeros_like(logits[:, 0], tf.int64), values=logits[:, 0],
        nrows=1, default_value=0.0,
    )  # fmt: skip
    return logits + 0.0 * tf.reduce_sum(filled.output_values)


def new_op_in_branch(logits: tf.Tensor, packed: Packed) -> tf.Tensor:
    long = tf.reduce_max(packed.input_word_ids.row_lengths()) > 1000
    return tf.cond(long, lambda: new_op(logits, packed), lambda: logits)


def new_attribute(logits: tf.Tensor, packed: Packed) -> tf.Tensor:
    best = tf.raw_ops.TopKV2(input=logits, k=1, index_type=tf.int64).indices
    return logits + 0.0 * tf.cast(best, tf.float32)


def new_text_op(logits: tf.Tensor, packed: Packed) -> tf.Tensor:
    trimmed = tf_text.RoundRobinTrimmer(4).trim([packed.input_word_ids])[0]
    return logits + 0.0 * tf.cast(trimmed.row_lengths(), tf.float32)[:, None]


def nan_if_empty(logits: tf.Tensor, packed: Packed) -> tf.Tensor:
    """The mean over the pieces between [CLS] and [SEP]: there may be none."""
    pieces = tf.cast(packed.input_word_ids.row_lengths() - 2, tf.float32)
    return logits + (0.0 / pieces)[:, None]
