"""The signatures that every task has: pieces, features and embeddings of raw text.

Text becomes ids through the very function that tf.Transform exported and ran over the training
data; every signature goes through it. Inside everything is ragged; at the door tensors are dense,
because a signature can give nothing else, and ``n_…`` says how far they are real.
"""

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from trainer.model.dense import products
from trainer.model.lower import Lower
from trainer.model.on_encoder import OnEncoder
from trainer.model.padding_free import encode
from trainer.preprocessing import VARIABLE_OUTPUTS
from trainer.text.pads import pads
from trainer.text.rows import row_of_values
from trainer.text.vocabulary import Vocabulary
from trainer.text.windows import Windows, windows

Tensors = dict[str, tf.Tensor]
Features = dict[str, Any]  # ragged [batch, (tokens)] int32 and dense [batch] int32
TEXT = tf.TensorSpec([None], tf.string, name="text")
EXAMPLES = tf.TensorSpec([None], tf.string, name="examples")


def traced_once(model: Callable[..., Any]) -> Callable[..., Any]:
    """One function of the graph for all signatures: the constants in it are stored once.

    A Python function around it, because SavedModel would store a bare one as a signature more.
    """
    function = tf.function(model, autograph=False)
    return lambda *inputs: function(*inputs)


class TextServable(tf.Module):
    """The common part of all tasks' servables.

    Args:
        task: as in the recipe.
        model: trained.
        transform: tf.Transform's exported function: raw columns to Transform's outputs.
        text: the raw text column's name.
        raw_features: how the other raw columns are parsed, by name; an Example may lack them.
        vocabulary: of the encoder.
        max_tokens: of a window, [CLS] and [SEP] counted.
        lower: the precision of the encoder's products; None: float32.
    """

    method_names: dict[str, str] = {}  # of the signatures that are no Predict

    def __init__(
        self,
        task: str,
        model: OnEncoder,
        transform: Callable[[Tensors], Features],
        *,
        text: str,
        raw_features: dict[str, tf.io.VarLenFeature],
        vocabulary: Vocabulary,
        max_tokens: int,
        lower: Lower | None = None,
    ) -> None:
        super().__init__(name="servable")
        self._text, self._max_tokens = text, max_tokens
        # Functions, not dictionaries: tf.Module wraps those, and SavedModel would store them.
        self._raw_features = lambda: raw_features
        self._pieces = tf.constant(vocabulary.tokens)
        beyond = pads(VARIABLE_OUTPUTS[task], vocabulary.pad)
        self._pads = lambda: beyond
        # What a SavedModel must track: the tables and assets of Transform, and the bare variables.
        # The Keras layers stay behind functions: tracked, they would bring every variable again.
        self._transform = transform
        self._model, self._lower = (lambda: model), (lambda: lower)
        self._variables: list[tf.Variable] = []

    def signatures(self) -> dict[str, tf.types.experimental.ConcreteFunction]:
        """All signatures by name, and with them the variables that they read."""
        lower = self._lower()
        with products(lower=lower):
            signatures = {
                name: tf.function(function, input_signature=[spec]).get_concrete_function()
                for name, (function, spec) in self.table().items()
            }
        variables = self._model().variables
        self._variables = lower.variables(variables) if lower else [v.value for v in variables]
        return signatures

    def table(self) -> dict[str, tuple[Callable[[tf.Tensor], Tensors], tf.TensorSpec]]:
        """Every signature's function and input."""
        return {
            "serving_default": (self.predict, TEXT),
            "examples": (lambda examples: self.predict(self.text_of(examples)), EXAMPLES),
            "tokenize": (self._tokenize, TEXT),
            "transform_features": (self._transform_features, EXAMPLES),
            "embed": (self._embed, TEXT),
        }

    def predict(self, text: tf.Tensor) -> Tensors:
        """The task's answer to raw texts, [batch] string."""
        raise NotImplementedError

    @tf.function(input_signature=[TEXT])
    def features(self, text: tf.Tensor) -> Features:
        """Raw text ▶ Transform's outputs: the one function that all signatures go through."""
        return _ragged(self._transform({self._text: text}))

    def text_of(self, examples: tf.Tensor) -> tf.Tensor:
        """Serialized tf.Examples ▶ their texts, both [batch] string."""
        spec = {self._text: tf.io.FixedLenFeature([], tf.string)}
        return tf.io.parse_example(examples, spec)[self._text]

    def dense(self, features: Features) -> Tensors:
        """[batch, (tokens)] ▶ [batch, longest, but at least 1], padded; others as they are."""
        layout = features["input_word_ids"]
        width = tf.maximum(tf.constant(1, tf.int64), tf.reduce_max(layout.row_lengths()))
        shape = tf.stack([layout.nrows(), width])
        beyond = self._pads()
        return {
            name: value.to_tensor(beyond[name], shape=shape) if name in beyond else value
            for name, value in features.items()
        }

    def windows(self, features: Features) -> tuple[Windows, Features]:
        """The texts cut to what the encoder reads, and the windows' features, ragged."""
        cut = windows(features["input_word_ids"].row_splits, self._max_tokens)
        return cut, {
            name: cut.tokens.with_values(tf.gather(column.values, cut.tokens.values))
            for name, column in features.items()
            if name in self._pads()
        }

    def _tokenize(self, text: tf.Tensor) -> Tensors:
        features = self.features(text)
        dense = self.dense(features)
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
        """Of a text of several windows: the first one's pooled output, the mean over all tokens."""
        features = self.features(text)
        cut, read = self.windows(features)
        encoded = encode(self._model().encoder, read["input_word_ids"], read["input_type_ids"])
        rows = features["input_word_ids"].nrows()
        window = row_of_values(cut.tokens.row_splits, cut.tokens.values)
        sums = tf.math.unsorted_segment_sum(
            encoded.tokens * tf.cast(cut.owned.values, tf.float32)[:, None],
            tf.gather(cut.rows, window),
            rows,
        )
        lengths = tf.cast(features["input_word_ids"].row_lengths(), tf.float32)
        first = tf.searchsorted(cut.rows, tf.range(rows))
        return {"pooled": tf.gather(encoded.pooled, first), "mean": sums / lengths[:, None]}

    def _transform_features(self, examples: tf.Tensor) -> Tensors:
        spec = {self._text: tf.io.FixedLenFeature([], tf.string), **self._raw_features()}
        return self.dense(_ragged(self._transform(tf.io.parse_example(examples, spec))))


def _ragged(features: Features) -> Features:
    """Transform's sparse outputs as ragged ones, all int32; they share one layout."""
    words = features["input_word_ids"]
    layout = tf.RaggedTensor.from_value_rowids(
        words.values, words.indices[:, 0], nrows=words.dense_shape[0], validate=False
    )
    return {
        name: layout.with_values(tf.cast(column.values, tf.int32))
        if isinstance(column, tf.SparseTensor)
        else tf.cast(column, tf.int32)
        for name, column in features.items()
    }
