"""`run_fn`: transformed examples and an encoder to an exported, servable model."""

import hashlib
import json
import os
from typing import Any

import keras
import tensorflow as tf
import tensorflow_transform as tft
from tfx.components.trainer.fn_args_utils import FnArgs

from trainer import export, progress
from trainer.card import write_card
from trainer.errors import BadInput
from trainer.loop import Loop, Splits, TrainSettings
from trainer.model.classifier import Classifier, build_classifier
from trainer.preprocessing import LABEL_VOCABULARY
from trainer.text.vocabulary import Vocabulary

HISTORY = "history.json"


def run_fn(fn_args: FnArgs) -> None:
    """TFX's entry point of the Trainer.

    Args:
        fn_args: ``custom_config`` holds ``task``, ``text``, ``label``, ``max_tokens``, ``train``
            (see `TrainSettings`); ``base_model`` is the encoder's folder.

    Raises:
        BadInput: one class, or an encoder that does not fit.
    """
    config = dict(fn_args.custom_config)
    transform = tft.TFTransformOutput(fn_args.transform_output)
    labels = [name.decode() for name in transform.vocabulary_by_name(LABEL_VOCABULARY)]
    if len(labels) < 2:
        raise BadInput(f"the label has one class: {labels}.", where=config["label"])
    settings = TrainSettings(**config["train"])
    vocabulary = Vocabulary.read(os.path.join(fn_args.base_model, "vocab.txt"))
    keras.utils.set_random_seed(settings.seed)
    with _strategy().scope():
        classifier = build_classifier(fn_args.base_model, len(labels), settings.seed)
        loop = Loop(
            classifier,
            settings,
            Splits(fn_args.train_files, fn_args.eval_files),
            vocabulary.pad,
            _state_folder(fn_args),
        )
        history = _train(loop, fn_args.model_run_dir)
    _export(fn_args, classifier, transform, labels, vocabulary, history)
    loop.forget()


def _strategy() -> tf.distribute.Strategy:
    """Several workers by TF_CONFIG, several GPUs if there are, else one replica."""
    if "TF_CONFIG" in os.environ:
        return tf.distribute.MultiWorkerMirroredStrategy()
    if len(tf.config.list_logical_devices("GPU")) > 1:
        return tf.distribute.MirroredStrategy()
    return tf.distribute.get_strategy()


def _train(loop: Loop, log_dir: str) -> list[dict[str, Any]]:
    writer = tf.summary.create_file_writer(log_dir)

    def log(account: dict[str, Any]) -> None:
        with writer.as_default(step=account["epoch"]):
            for name in ("loss", "eval_loss", "train_accuracy", "eval_accuracy", "examples_per_s"):
                tf.summary.scalar(name, account[name])
        writer.flush()

    history = loop.run(log)
    with tf.io.gfile.GFile(os.path.join(log_dir, HISTORY), "w") as file:
        file.write(json.dumps(history, indent=1))
    return history


def _export(
    fn_args: FnArgs,
    classifier: Classifier,
    transform: tft.TFTransformOutput,
    labels: list[str],
    vocabulary: Vocabulary,
    history: list[dict[str, Any]],
) -> None:
    config = fn_args.custom_config
    servable = export.Servable(
        classifier,
        transform.transform_features_layer(),
        labels,
        text=config["text"],
        label=config["label"],
        vocabulary=vocabulary,
    )
    export.save(servable, fn_args.serving_model_dir, config["max_tokens"])
    write_card(
        fn_args.serving_model_dir,
        {
            "task": config["task"],
            "text": config["text"],
            "label": config["label"],
            "labels": labels,
            "max_tokens": config["max_tokens"],
            "train": config["train"],
            "history": history,
        },
    )
    progress.publish("exported", labels=len(labels))


def _state_folder(fn_args: FnArgs) -> str:
    """Where this very training keeps its state: stable over runs, since TFX's own folders are not.

    The name is a digest of all that the weights depend on; TFX gives the same artifact the same
    URI, so a rerun finds the state and a changed recipe does not.
    """
    trainer_folder = os.path.dirname(os.path.dirname(fn_args.model_run_dir.rstrip("/")))
    depends_on = [
        fn_args.custom_config,
        fn_args.train_files,
        fn_args.eval_files,
        fn_args.transform_output,
        fn_args.base_model,
    ]
    digest = hashlib.sha256(json.dumps(depends_on, sort_keys=True).encode()).hexdigest()
    return os.path.join(trainer_folder, "state", digest[:16])
