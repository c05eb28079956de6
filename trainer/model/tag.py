"""The heads that give every word a tag: softmax, CRF, and BiLSTM with CRF."""

from typing import Any

import keras
import tensorflow as tf

from trainer.model import crf
from trainer.model.bilstm import BiLSTM
from trainer.model.config import EncoderConfig
from trainer.model.dropout import dropout
from trainer.model.encoder import Initial
from trainer.model.words import compact, expand

HEADS = ("softmax", "crf", "bilstm-crf")
REST_OF_WORD = ("ignore", "x")


class TagHead(keras.layers.Layer):
    """Scores tags, and finds the best tags that are legal IOB2.

    Transition scores are learned without restraint, because a window may begin inside an entity;
    when decoding, what IOB2 does not know is impossible, whatever the head and its scores.

    Args:
        config: the encoder's, for width, rate of dropout and spread of the first weights.
        types: how many entity types there are; tags are K = 2·types + 1.
        head: one of `HEADS`.
        rest_of_word: ``x`` adds a column X for the pieces after the first of a word; ``ignore``
            leaves them alone. See `REST_OF_WORD`.
        seed: of the first weights.
    """

    def __init__(
        self,
        config: EncoderConfig,
        types: int,
        head: str = "crf",
        rest_of_word: str = "ignore",
        seed: int = 0,
        name: str = "tag",
    ) -> None:
        super().__init__(name=name)
        self.config, self.types, self.tags = config, types, 2 * types + 1
        self.has_crf, self.has_x = head != "softmax", rest_of_word == "x"
        columns = self.tags + self.has_x
        self.logits = Initial(config.initializer_range, seed).dense(columns, "logits")
        # As wide as the encoder, both directions together.
        units = -(-config.hidden_size // 2)
        self.bilstm = BiLSTM(config.hidden_size, units, seed) if head == "bilstm-crf" else None
        self.build()

    def build(self, *_: Any) -> None:
        """Makes ``tag/logits/{kernel,bias}``, for a CRF ``tag/transitions``, ``tag/starts`` too.

        The last two begin as 0: a CRF that has learned nothing of them is a softmax.
        """
        self.logits.build([None, 2 * self.bilstm.units if self.bilstm else self.config.hidden_size])
        if self.has_crf:
            self.transitions = self.add_weight(
                name="transitions", shape=[self.tags, self.tags], initializer="zeros"
            )
            self.starts = self.add_weight(name="starts", shape=[self.tags], initializer="zeros")

    def call(
        self,
        sequence: tf.Tensor,
        read: tf.Tensor,
        training: bool = False,
        seed: tf.Tensor | None = None,
    ) -> tf.Tensor:
        """Scores the tags of every token.

        Args:
            sequence: [rows, tokens, width], the encoder's.
            read: [rows, tokens] bool, what the BiLSTM reads; it goes over the rest.
            training: whether there is dropout.
            seed: [2] int32, decides what is dropped; drawn at random if absent.

        Returns:
            [rows, tokens, K], with ``x`` [rows, tokens, K + 1]: the last column is X.
        """
        seeds = self._seeds(training, seed)
        x = dropout(sequence, self.config.dropout, seeds[0])
        if self.bilstm:
            words, lengths = compact(x, read)
            x = dropout(expand(self.bilstm(words, lengths), read), self.config.dropout, seeds[1])
        rows, tokens, width = tf.shape(x)[0], tf.shape(x)[1], x.shape[-1]
        flat = self.logits(tf.reshape(x, [rows * tokens, width]))
        return tf.reshape(flat, [rows, tokens, flat.shape[-1]])

    def _seeds(self, training: bool, seed: tf.Tensor | None) -> list[tf.Tensor | None]:
        if not training:
            return [None, None]
        if seed is None:
            seed = tf.random.uniform([2], maxval=tf.int32.max, dtype=tf.int32)
        return tf.unstack(tf.random.experimental.stateless_split(seed, 2, alg="philox"))

    def log_likelihood(
        self, emissions: tf.Tensor, tags: tf.Tensor, lengths: tf.Tensor
    ) -> tf.Tensor:
        """The CRF's, of emissions [rows, words, K] and tags [rows, words] int32, −1 where not
        known: [rows]."""
        return crf.log_likelihood(emissions, *self._scores(), tags, lengths)

    def decode(self, emissions: tf.Tensor, lengths: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """The best legal tags and how probable each is.

        Args:
            emissions: [rows, words, K] float.
            lengths: [rows] int32.

        Returns:
            tags [rows, words] int32, and probabilities [rows, words] float32: the CRF's marginals
            over legal paths, or the softmax of the word alone. Both 0 at padding.
        """
        # Without a known rank, the optimizer of a TF 1 Session logs an error for the softmax.
        emissions = tf.ensure_shape(emissions, [None, None, self.tags])
        scores = crf.forbid(*self._scores(), self.types)
        tags, _ = crf.viterbi(emissions, *scores, lengths)
        if self.has_crf:
            probabilities = crf.marginals(emissions, *scores, lengths)
        else:
            probabilities = tf.nn.softmax(emissions)
        chosen = tf.gather(probabilities, tags, axis=2, batch_dims=2)
        real = tf.sequence_mask(lengths, tf.shape(tags)[1])
        return tags, tf.where(real, chosen, tf.zeros_like(chosen))

    def _scores(self) -> tuple[tf.Tensor, tf.Tensor]:
        """Transitions and starts; without a CRF all the same."""
        if not self.has_crf:
            return tf.zeros([self.tags, self.tags]), tf.zeros([self.tags])
        return tf.convert_to_tensor(self.transitions), tf.convert_to_tensor(self.starts)
