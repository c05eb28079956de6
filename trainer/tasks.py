"""What a recipe's task comes to: which model is trained and what it answers when served."""

from collections.abc import Callable
from typing import Any

from trainer.model.classifier import Classifier, build_classifier
from trainer.model.lower import Lower
from trainer.model.tagger import Tagger, build_tagger
from trainer.servables.classifier import ClassifierServable
from trainer.servables.tagger import TaggerServable
from trainer.servables.text import TextServable
from trainer.text.vocabulary import Vocabulary

Model = Classifier | Tagger


def build(config: dict[str, Any], encoder_folder: str, labels: list[str], seed: int) -> Model:
    """The model of a task on an encoder's folder, ready to be trained.

    Args:
        config: the Trainer's ``custom_config``.
        encoder_folder: weights, configuration, vocabulary.
        labels: classes or entity types, in id order.
        seed: of the head's first weights.

    Raises:
        BadInput: too few labels, or an encoder that does not fit.
    """
    if config["task"] == "tag":
        return build_tagger(
            encoder_folder, len(labels), config["head"], config["rest_of_word"], seed
        )
    return build_classifier(encoder_folder, len(labels), seed)


def servable(
    config: dict[str, Any],
    model: Model,
    transform: Callable[[dict[str, Any]], dict[str, Any]],
    labels: list[str],
    vocabulary: Vocabulary,
    lower: Lower | None = None,
) -> TextServable:
    """The trained model with its signatures.

    Args:
        config: the Trainer's ``custom_config``.
        model: trained.
        transform: tf.Transform's exported function.
        labels: classes or entity types, in id order.
        vocabulary: of the encoder.
        lower: the precision of the encoder's products; None: float32.
    """
    settings = {
        "text": config["text"],
        "vocabulary": vocabulary,
        "max_tokens": config["max_tokens"],
        "lower": lower,
        "constant_weights": config.get("constant_weights", False),
    }
    if isinstance(model, Tagger):
        return TaggerServable(model, transform, labels, **settings)
    return ClassifierServable(model, transform, labels, label=config["label"], **settings)
