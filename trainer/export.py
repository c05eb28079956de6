"""The trained model as one SavedModel that answers raw strings.

Text becomes ids through the very function that tf.Transform exported and ran over the training
data; every signature goes through it. Inside everything is ragged; at the door tensors are dense,
because a signature can give nothing else, and ``n_pieces`` says how far they are real.
"""

import os
from collections.abc import Callable

import tensorflow as tf

from trainer import warmup
from trainer.model.classifier import Classifier
from trainer.preprocessing import VARIABLE_OUTPUTS
from trainer.text.vocabulary import Vocabulary

Tensors = dict[str, tf.Tensor]
_TEXT = tf.TensorSpec([None], tf.string, name="text")
_METHOD_NAMES = {"classify": "tensorflow/serving/classify"}


class Servable(tf.Module):
    """The signatures of a classifier (see the README's table).

    Args:
        classifier: trained.
        transform: tf.Transform's exported function: raw columns to Transform's outputs.
        labels: their names in label-id order.
        text: the raw text column's name.
        label: the raw label column's name.
        vocabulary: of the encoder.
    """

    def __init__(
        self,
        classifier: Classifier,
        transform: Callable[[Tensors], Tensors],
        labels: list[str],
        *,
        text: str,
        label: str,
        vocabulary: Vocabulary,
    ) -> None:
        super().__init__(name="servable")
        self._text, self._label = text, label
        self._labels, self._pieces = tf.constant(labels), tf.constant(vocabulary.tokens)
        self._pads = dict.fromkeys(VARIABLE_OUTPUTS, 0) | {
            "input_word_ids": vocabulary.pad,
            "starts": -1,
            "ends": -1,
        }
        # What a SavedModel must track: the tables and assets of Transform, and the bare variables.
        # The Keras layers stay behind functions: tracked, they would bring every variable again.
        self._transform = transform
        self._variables = [variable.value for variable in classifier.variables]
        self._logits = lambda dense: classifier(dense)
        self._encode = lambda dense: classifier.encoder(
            dense["input_word_ids"], dense["input_mask"], dense["input_type_ids"]
        )

    def signatures(self) -> dict[str, tf.types.experimental.ConcreteFunction]:
        """All signatures by name."""
        examples = tf.TensorSpec([None], tf.string, name="examples")
        inputs = tf.TensorSpec([None], tf.string, name="inputs")
        table = {
            "serving_default": (self._predict, _TEXT),
            "classify": (lambda inputs: self._classify(self._parse_text(inputs)), inputs),
            "examples": (lambda examples: self._predict(self._parse_text(examples)), examples),
            "tokenize": (self._tokenize, _TEXT),
            "transform_features": (self._transform_features, examples),
            "embed": (self._embed, _TEXT),
        }
        return {
            name: tf.function(function, input_signature=[spec]).get_concrete_function()
            for name, (function, spec) in table.items()
        }

    @tf.function(input_signature=[_TEXT])
    def _features(self, text: tf.Tensor) -> Tensors:
        """Raw text ▶ Transform's outputs: the one function that all signatures go through."""
        return _ragged(self._transform({self._text: text}))

    def _dense(self, features: Tensors) -> Tensors:
        """[batch, (tokens)] ▶ [batch, longest, but at least 1], padded."""
        layout = features["input_word_ids"]
        width = tf.maximum(tf.constant(1, tf.int64), tf.reduce_max(layout.row_lengths()))
        shape = tf.stack([layout.nrows(), width])
        return {
            name: features[name].to_tensor(pad, shape=shape) for name, pad in self._pads.items()
        }

    def _predict(self, text: tf.Tensor) -> Tensors:
        features = self._features(text)
        scores = tf.nn.softmax(self._logits(self._dense(features)))
        return {
            "label": tf.gather(self._labels, tf.argmax(scores, -1)),
            "score": tf.reduce_max(scores, -1),
            "labels": self._labels_of_rows(scores),
            "scores": scores,
            "dropped_tokens": features["dropped_tokens"],
        }

    def _classify(self, text: tf.Tensor) -> Tensors:
        # TF Serving's Classify takes these two outputs and no other.
        answer = self._predict(text)
        return {"classes": answer["labels"], "scores": answer["scores"]}

    def _labels_of_rows(self, scores: tf.Tensor) -> tf.Tensor:
        return tf.tile(self._labels[None, :], [tf.shape(scores)[0], 1])

    def _tokenize(self, text: tf.Tensor) -> Tensors:
        features = self._features(text)
        dense = self._dense(features)
        pieces = tf.gather(self._pieces, features["input_word_ids"])
        return {
            "pieces": pieces.to_tensor("", shape=tf.shape(dense["starts"], tf.int64)),
            "input_word_ids": dense["input_word_ids"],
            "input_type_ids": dense["input_type_ids"],
            "starts": dense["starts"],
            "ends": dense["ends"],
            "n_pieces": tf.cast(features["input_word_ids"].row_lengths(), tf.int32),
            "dropped_tokens": features["dropped_tokens"],
        }

    def _embed(self, text: tf.Tensor) -> Tensors:
        dense = self._dense(self._features(text))
        encoded = self._encode(dense)
        mask = tf.cast(dense["input_mask"], tf.float32)[:, :, None]
        mean = tf.reduce_sum(encoded.sequence * mask, 1) / tf.reduce_sum(mask, 1)
        return {"pooled": encoded.pooled, "mean": mean}

    def _parse_text(self, examples: tf.Tensor) -> tf.Tensor:
        spec = {self._text: tf.io.FixedLenFeature([], tf.string)}
        return tf.io.parse_example(examples, spec)[self._text]

    def _transform_features(self, examples: tf.Tensor) -> Tensors:
        spec = {
            self._text: tf.io.FixedLenFeature([], tf.string),
            self._label: tf.io.VarLenFeature(tf.string),
        }
        features = self._transform(tf.io.parse_example(examples, spec))
        ragged = _ragged(features)
        return {
            **self._dense(ragged),
            "dropped_tokens": ragged["dropped_tokens"],
            "label": features["label"],
        }


def _ragged(features: dict[str, tf.SparseTensor]) -> Tensors:
    """Transform's sparse outputs as ragged ones, all int32; they share one layout."""
    words = features["input_word_ids"]
    layout = tf.RaggedTensor.from_value_rowids(
        words.values, words.indices[:, 0], nrows=words.dense_shape[0], validate=False
    )
    ragged = {
        name: layout.with_values(tf.cast(features[name].values, tf.int32))
        for name in VARIABLE_OUTPUTS
    }
    return {**ragged, "dropped_tokens": tf.cast(features["dropped_tokens"], tf.int32)}


def save(servable: Servable, folder: str, max_tokens: int) -> None:
    """Writes the SavedModel, its method names and its warm-up requests.

    Args:
        servable: traced here, once a signature.
        folder: the SavedModel's; local or remote.
        max_tokens: length of the longest warm-up text, in pieces.
    """
    tf.saved_model.save(servable, folder, signatures=servable.signatures())
    _finish_graph(os.path.join(folder, "saved_model.pb"))
    warmup.write(folder, max_tokens)


def _finish_graph(path: str) -> None:
    """Gives `classify` TF Serving's method name, tables names without a path, variables none.

    TF 2 writes every signature as a Predict, and `tf.lookup.TextFileInitializer` puts the training
    machine's path into its table's ``shared_name``. Two tables may share a name only if they share
    their content, so a path becomes its digest.
    """
    from hashlib import sha256

    from tensorflow.core.protobuf import saved_model_pb2

    saved_model = saved_model_pb2.SavedModel()
    with tf.io.gfile.GFile(path, "rb") as file:
        saved_model.ParseFromString(file.read())
    for meta_graph in saved_model.meta_graphs:
        for name, method in _METHOD_NAMES.items():
            meta_graph.signature_def[name].method_name = method
        graph = meta_graph.graph_def
        for nodes in (graph.node, *(function.node_def for function in graph.library.function)):
            for node in nodes:
                shared_name = node.attr["shared_name"].s if "shared_name" in node.attr else b""
                if b"/" in shared_name:
                    digest = sha256(shared_name).hexdigest()[:16]
                    node.attr["shared_name"].s = f"table_{digest}".encode()
                if node.op == "VarHandleOp":  # an attribute that older servers log as unknown
                    node.attr.pop("debug_name", None)
    with tf.io.gfile.GFile(path, "wb") as file:
        file.write(saved_model.SerializeToString(deterministic=True))
