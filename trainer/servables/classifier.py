"""What a served classifier answers."""

from collections.abc import Callable
from functools import partial
from typing import Any

import tensorflow as tf

from trainer.model.classifier import Classifier
from trainer.servables.text import Features, Tensors, TextServable, traced_once


class ClassifierServable(TextServable):
    """The signatures of a classifier (see the README's table).

    Args:
        classifier: trained.
        transform: tf.Transform's exported function.
        labels: their names in label-id order.
        label: the raw label column's name.
        constant_weights: see `padding_free.encode`.
        settings: further ones of `TextServable`.
    """

    method_names = {"classify": "tensorflow/serving/classify"}

    def __init__(
        self,
        classifier: Classifier,
        transform: Callable[[Tensors], Features],
        labels: list[str],
        *,
        label: str,
        constant_weights: bool = False,
        **settings: Any,
    ) -> None:
        raw = {label: tf.io.VarLenFeature(tf.string)}
        super().__init__("classify", classifier, transform, raw_features=raw, **settings)
        self._labels = tf.constant(labels)
        self._logits = traced_once(partial(classifier.of_ragged, constants=constant_weights))

    def table(self) -> dict[str, tuple[Callable[[tf.Tensor], Tensors], tf.TensorSpec]]:
        """The common signatures, and TF Serving's Classify."""
        inputs = tf.TensorSpec([None], tf.string, name="inputs")
        return {**super().table(), "classify": (self._classify, inputs)}

    def predict(self, text: tf.Tensor) -> Tensors:
        """The best label and all scores."""
        features = self.features(text)
        scores = tf.nn.softmax(self._logits(features["input_word_ids"], features["input_type_ids"]))
        return {
            "label": tf.gather(self._labels, tf.argmax(scores, -1)),
            "score": tf.reduce_max(scores, -1),
            "labels": tf.tile(self._labels[None, :], [tf.shape(scores)[0], 1]),
            "scores": scores,
            "dropped_tokens": features["dropped_tokens"],
        }

    def _classify(self, inputs: tf.Tensor) -> Tensors:
        # TF Serving's Classify takes these two outputs and no other.
        answer = self.predict(self.text_of(inputs))
        return {"classes": answer["labels"], "scores": answer["scores"]}
