"""The head that gives a text one of several classes."""

from typing import Any

import keras
import tensorflow as tf

from trainer.model.config import EncoderConfig
from trainer.model.dropout import dropout
from trainer.model.encoder import Initial


class ClassifyHead(keras.layers.Layer):
    """Dropout and one product on the pooled output, as in BERT's paper.

    Args:
        config: the encoder's, for width, rate of dropout and spread of the first weights.
        classes: how many there are.
        seed: of the first weights.
    """

    def __init__(
        self, config: EncoderConfig, classes: int, seed: int = 0, name: str = "classify"
    ) -> None:
        super().__init__(name=name)
        self.config, self.classes = config, classes
        self.logits = Initial(config.initializer_range, seed).dense(classes, "logits")
        self.build()

    def build(self, *_: Any) -> None:
        """Makes ``classify/logits/kernel`` [H, classes] and ``classify/logits/bias``."""
        self.logits.build([None, self.config.hidden_size])

    def call(
        self, pooled: tf.Tensor, training: bool = False, seed: tf.Tensor | None = None
    ) -> tf.Tensor:
        """Scores the classes.

        Args:
            pooled: [batch, width], the encoder's.
            training: whether there is dropout.
            seed: [2] int32, decides what is dropped; drawn at random if absent.

        Returns:
            logits [batch, classes], in label-id order.
        """
        if training and seed is None:
            seed = tf.random.uniform([2], maxval=tf.int32.max, dtype=tf.int32)
        return self.logits(dropout(pooled, self.config.dropout, seed if training else None))
