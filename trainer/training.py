"""`run_fn`: transformed examples and an encoder to an exported, servable model."""

import hashlib
import json
import os
from typing import Any

import keras
import tensorflow as tf
import tensorflow_transform as tft
from tfx.components.trainer.fn_args_utils import FnArgs

from trainer import export, progress, tasks
from trainer.batches import Layout
from trainer.card import write_card
from trainer.loop import Loop, Splits, TrainSettings
from trainer.preprocessing import LABEL_VOCABULARY
from trainer.text.vocabulary import Vocabulary

HISTORY = "history.json"


def run_fn(fn_args: FnArgs) -> None:
    """TFX's entry point of the Trainer.

    Args:
        fn_args: ``custom_config`` holds ``task``, ``text``, ``label``, ``max_tokens``, ``train``
            (see `TrainSettings`), for a tagger ``head`` and ``rest_of_word`` too, perhaps
            ``constant_weights`` (see `trainer.model.padding_free.encode`); ``base_model``
            is the encoder's folder.

    Raises:
        BadInput: too few labels, or an encoder that does not fit.
    """
    config = dict(fn_args.custom_config)
    transform = tft.TFTransformOutput(fn_args.transform_output)
    labels = [name.decode() for name in transform.vocabulary_by_name(LABEL_VOCABULARY)]
    settings = TrainSettings(**config["train"])
    vocabulary = Vocabulary.read(os.path.join(fn_args.base_model, "vocab.txt"))
    layout = Layout(config["task"], settings.batch_size, config["max_tokens"], vocabulary.pad)
    keras.utils.set_random_seed(settings.seed)
    with _strategy().scope():
        model = tasks.build(config, fn_args.base_model, labels, settings.seed)
        loop = Loop(
            model,
            settings,
            Splits(fn_args.train_files, fn_args.eval_files),
            layout,
            _state_folder(fn_args),
        )
        history = _train(loop, model.metric, fn_args.model_run_dir)
    _export(fn_args, model, transform, labels, vocabulary, history)
    loop.forget()


def _strategy() -> tf.distribute.Strategy:
    """Several workers by TF_CONFIG, several GPUs if there are, else one replica."""
    if "TF_CONFIG" in os.environ:
        return tf.distribute.MultiWorkerMirroredStrategy()
    if len(tf.config.list_logical_devices("GPU")) > 1:
        return tf.distribute.MirroredStrategy()
    return tf.distribute.get_strategy()


def _train(loop: Loop, metric: str, log_dir: str) -> list[dict[str, Any]]:
    writer = tf.summary.create_file_writer(log_dir)

    def log(account: dict[str, Any]) -> None:
        with writer.as_default(step=account["epoch"]):
            for name in (
                "loss",
                "eval_loss",
                f"train_{metric}",
                f"eval_{metric}",
                "examples_per_s",
            ):
                tf.summary.scalar(name, account[name])
        writer.flush()

    history = loop.run(log)
    with tf.io.gfile.GFile(os.path.join(log_dir, HISTORY), "w") as file:
        file.write(json.dumps(history, indent=1))
    return history


def _export(
    fn_args: FnArgs,
    model: tasks.Model,
    transform: tft.TFTransformOutput,
    labels: list[str],
    vocabulary: Vocabulary,
    history: list[dict[str, Any]],
) -> None:
    config = fn_args.custom_config
    servable = tasks.servable(
        config, model, transform.transform_features_layer(), labels, vocabulary
    )
    export.save(servable, fn_args.serving_model_dir, config["max_tokens"])
    told = ("task", "text", "label", "max_tokens", "head", "rest_of_word", "train")
    card = {key: config[key] for key in told if key in config}
    write_card(fn_args.serving_model_dir, {**card, "labels": labels, "history": history})
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
