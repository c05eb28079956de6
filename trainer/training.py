"""`run_fn`: transformed examples and an encoder to an exported, servable model."""

import hashlib
import json
import os
from typing import TYPE_CHECKING, Any

import keras
import tensorflow as tf
import tensorflow_transform as tft

from trainer import batches, export, precision, progress, scalars, tasks, workers
from trainer.batches import Layout
from trainer.card import write_card
from trainer.frozen import refuse_frozen_weights
from trainer.loop import Loop, Splits, TrainSettings
from trainer.model.config import EncoderConfig
from trainer.model.lower import Lower
from trainer.preprocessing import LABEL_VOCABULARY
from trainer.text.vocabulary import Vocabulary

if TYPE_CHECKING:  # a worker that trains need not wait for all of TFX
    from tfx.components.trainer.fn_args_utils import FnArgs

HISTORY = "history.json"
_OF_THE_CARD = ("task", "text", "label", "max_tokens", "head", "rest_of_word", "train")
_BATCHES_OF_TRIAL = 16


def run_fn(fn_args: "FnArgs") -> None:
    """TFX's entry point of the Trainer, on every worker where there are several.

    Args:
        fn_args: ``custom_config`` holds ``task``, ``text``, ``label``, ``max_tokens``, ``train``
            (see `TrainSettings`), for a tagger ``head`` and ``rest_of_word`` too, perhaps
            ``constant_weights`` (see `trainer.model.padding_free.encode`) and ``precision`` (see
            `trainer.precision.settle`); ``base_model`` is the encoder's folder.

    Raises:
        BadInput: too few labels, an encoder that does not fit, a precision that does not pay, or
            a server's setting (see `trainer.frozen`).
        WorkerLost: another worker does not answer.
    """
    refuse_frozen_weights()
    strategy = workers.strategy()  # first: it needs a TensorFlow that has not computed yet
    config = dict(fn_args.custom_config)
    transform = tft.TFTransformOutput(fn_args.transform_output)
    labels = [name.decode() for name in transform.vocabulary_by_name(LABEL_VOCABULARY)]
    settings = TrainSettings(**config["train"])
    vocabulary = Vocabulary.read(os.path.join(fn_args.base_model, "vocab.txt"))
    layout = Layout(config["task"], settings.batch_size, config["max_tokens"], vocabulary.pad)
    keras.utils.set_random_seed(settings.seed)
    trial = _trial(fn_args, layout) if workers.is_chief() else None
    with strategy.scope(), workers.told_plainly():
        model = tasks.build(config, fn_args.base_model, labels, settings.seed)
        loop = Loop(
            model,
            settings,
            Splits(fn_args.train_files, fn_args.eval_files),
            layout,
            _state_folder(fn_args),
        )
        history = _train(loop, model.metric, fn_args.model_run_dir)
    if workers.is_chief():
        lower = None
        told: dict[str, Any] = {"history": history}
        if trial:
            lower = Lower(trial.dtype)
            told["precision"] = precision.account(trial, lower, model, _some(fn_args, layout))
        _export(fn_args, model, transform, labels, vocabulary, lower, told)
    workers.meet(strategy)  # TFX looks for the model as soon as this returns, on every worker
    loop.forget()


def _trial(fn_args: "FnArgs", layout: Layout) -> precision.Trial | None:
    config = fn_args.custom_config
    return precision.settle(
        config.get("precision", precision.FLOAT32),
        EncoderConfig.from_json(fn_args.base_model),
        _some(fn_args, layout),
        config.get("constant_weights", False),
    )


def _some(fn_args: "FnArgs", layout: Layout) -> tf.data.Dataset:
    return batches.evaluation_batches(fn_args.eval_files, layout).take(_BATCHES_OF_TRIAL)


def _train(loop: Loop, metric: str, log_dir: str) -> list[dict[str, Any]]:
    if not workers.is_chief():
        return loop.run(lambda account: None)
    writer = tf.summary.create_file_writer(log_dir)

    def log(account: dict[str, Any]) -> None:
        names = ("loss", "eval_loss", f"train_{metric}", f"eval_{metric}", "examples_per_s")
        scalars.write(writer, account["epoch"], {name: account[name] for name in names})

    history = loop.run(log)
    with tf.io.gfile.GFile(os.path.join(log_dir, HISTORY), "w") as file:
        file.write(json.dumps(history, indent=1))
    return history


def _export(
    fn_args: "FnArgs",
    model: tasks.Model,
    transform: tft.TFTransformOutput,
    labels: list[str],
    vocabulary: Vocabulary,
    lower: Lower | None,
    told: dict[str, Any],
) -> None:
    config = fn_args.custom_config
    servable = tasks.servable(
        config, model, transform.transform_features_layer(), labels, vocabulary, lower
    )
    export.save(servable, fn_args.serving_model_dir, config["max_tokens"])
    card = {key: config[key] for key in _OF_THE_CARD if key in config}
    write_card(fn_args.serving_model_dir, {**card, "labels": labels, **told})
    progress.publish("exported", labels=len(labels))


def _state_folder(fn_args: "FnArgs") -> str:
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
