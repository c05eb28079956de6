"""The same weights in the design of 2020: every text padded to the longest allowed.

What TensorFlow's BERT examples do since then: a tokenizer in the graph, rows of a fixed length, the
plain encoder over all of them.
"""

from pathlib import Path

import numpy as np
import peer_model
import tensorflow as tf

from trainer.model.classifier import Classifier
from trainer.model.classify import ClassifyHead
from trainer.model.encoder import Encoder
from trainer.text.pack import pack
from trainer.text.tokenize import PieceTokenizer
from trainer.text.vocabulary import Vocabulary

TEXT = tf.TensorSpec([None], tf.string, name="text")


class FixedLength(tf.Module):
    """A classifier of rows of ``max_tokens``.

    Args:
        variables: of a pushed classifier, in their order there.
        vocab: the vocabulary's file.
        heads: of the encoder's attention.
        max_tokens: the length of every row.
    """

    def __init__(
        self, variables: list[np.ndarray], vocab: Path, heads: int, max_tokens: int
    ) -> None:
        super().__init__(name="fixed_length")
        config = peer_model.config_of(variables, heads)
        model = Classifier(Encoder(config), ClassifyHead(config, variables[-1].size))
        for variable, value in zip(model.variables, variables, strict=True):
            variable.assign(value)
        self._variables = [variable.value for variable in model.variables]
        self._tokenizer = PieceTokenizer(str(vocab), lower_case=True)
        self._vocabulary = lambda: Vocabulary.read(str(vocab))
        self._score, self._max_tokens = lambda batch: tf.nn.softmax(model(batch)), max_tokens

    @tf.function(input_signature=[TEXT])
    def predict(self, text: tf.Tensor) -> dict[str, tf.Tensor]:
        """Texts ▶ ``scores``, [batch, classes]."""
        packed = pack(self._tokenizer.tokenize(text), self._vocabulary(), self._max_tokens)
        columns = ("input_word_ids", "input_mask", "input_type_ids")
        shape = [None, self._max_tokens]
        rows = {name: getattr(packed, name).to_tensor(shape=shape) for name in columns}
        return {"scores": self._score(rows)}


def write(version: Path, to: Path, heads: int, max_tokens: int) -> Path:
    """Exports it with the weights and the vocabulary of a pushed version, once."""
    if not (to / "saved_model.pb").exists():
        variables = peer_model.variables_of(version)
        model = FixedLength(variables, version / "assets" / "vocab.txt", heads, max_tokens)
        tf.saved_model.save(model, str(to), signatures={"serving_default": model.predict})
    return to
