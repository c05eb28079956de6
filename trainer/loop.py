"""The training loop: epochs of bucketed batches, the best epoch by eval accuracy kept.

A loop of our own because Keras 3's `fit` fails under MultiWorkerMirroredStrategy; every step goes
through ``strategy.run``, which is a plain call where there is one replica. Every replica is given
the whole batch and takes its share of the rows, so N replicas train as one does.
"""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from trainer import batches, optimizer, progress
from trainer.resume import Checkpoint

Batch = dict[str, tf.Tensor]
_TELL_EVERY_S = 0.5


@dataclass(frozen=True)
class TrainSettings:
    """The recipe's `train` section."""

    epochs: int
    batch_size: int
    learning_rate: float
    warmup: float
    weight_decay: float
    clip_norm: float
    seed: int


@dataclass(frozen=True)
class Splits:
    """File patterns of the transformed splits."""

    train: list[str]
    eval: list[str]


class Loop:
    """Trains a model that maps a batch to logits.

    Args:
        model: built; called with the batch's encoder inputs, gives ``[batch, classes]`` logits.
        settings: how to train.
        splits: what to train on.
        pad_id: the vocabulary's [PAD].
        state_folder: where a killed run continues from; removed when training is done.
    """

    def __init__(
        self,
        model: keras.layers.Layer,
        settings: TrainSettings,
        splits: Splits,
        pad_id: int,
        state_folder: str,
    ) -> None:
        self._model, self._settings, self._splits, self._pad_id = model, settings, splits, pad_id
        self._steps = math.ceil(batches.count(splits.train) / settings.batch_size)
        self._optimizer = optimizer.adamw(
            model,
            learning_rate=settings.learning_rate,
            warmup=settings.warmup,
            weight_decay=settings.weight_decay,
            clip_norm=settings.clip_norm,
            total_steps=self._steps * settings.epochs,
        )
        self._checkpoint = Checkpoint(state_folder, [*model.variables, *self._optimizer.variables])
        # One trace for all lengths.
        self._train_step = tf.function(self._step, input_signature=[batches.SIGNATURE])
        self._judge = tf.function(self._forward, input_signature=[batches.SIGNATURE])

    def run(self, after_epoch: Callable[[dict[str, Any]], None]) -> list[dict[str, Any]]:
        """Trains, and leaves the best epoch's weights in the model.

        Args:
            after_epoch: called with each epoch's account: ``epoch`` (from 1), ``loss``,
                ``train_accuracy``, ``eval_accuracy``, ``eval_loss``, ``seconds``,
                ``examples_per_s``, ``best``.

        Returns:
            The accounts of all epochs, those of a killed run included.
        """
        history: list[dict[str, Any]] = []
        best: list[np.ndarray] = []
        if restored := self._checkpoint.restore():
            history, best = restored[0]["epochs"], restored[1]
            progress.publish("resumed", after_epoch=len(history))
        for epoch in range(len(history), self._settings.epochs):
            account = self._epoch(epoch)
            account["best"] = all(_rank(account) > _rank(earlier) for earlier in history)
            if account["best"]:
                best = [np.asarray(variable) for variable in self._model.variables]
            history.append(account)
            self._checkpoint.save({"epochs": history}, best)
            progress.publish("epoch", total=self._settings.epochs, **account)
            after_epoch(account)
        for variable, array in zip(self._model.variables, best, strict=True):
            variable.assign(array)
        return history

    def forget(self) -> None:
        """Removes the state; to be called when the model is safely exported."""
        self._checkpoint.delete()

    def _epoch(self, epoch: int) -> dict[str, Any]:
        started = told = time.monotonic()
        losses, right, rows = 0.0, 0, 0
        epoch_batches = batches.training_batches(
            self._splits.train,
            self._settings.batch_size,
            self._pad_id,
            self._settings.seed,
            epoch,
        )
        for step, batch in enumerate(epoch_batches, 1):
            loss, hits = self._sums(batch)
            losses, right = losses + loss, right + hits
            rows += int(batch["label"].shape[0])
            if time.monotonic() - told > _TELL_EVERY_S or step == self._steps:
                told = time.monotonic()
                progress.publish(
                    "step",
                    epoch=epoch + 1,
                    done=step,
                    total=self._steps,
                    loss=losses / rows,
                    examples_per_s=rows / (told - started),
                )
        seconds = time.monotonic() - started
        eval_accuracy, eval_loss = self._evaluate()
        return {
            "epoch": epoch + 1,
            "loss": losses / rows,
            "train_accuracy": right / rows,
            "eval_accuracy": eval_accuracy,
            "eval_loss": eval_loss,
            "seconds": seconds,
            "examples_per_s": rows / seconds,
        }

    def _sums(self, batch: Batch) -> tuple[float, int]:
        """One step on all replicas; the sum of the losses and the number of right answers."""
        strategy = tf.distribute.get_strategy()
        loss, hits = (
            strategy.reduce(tf.distribute.ReduceOp.SUM, of_replicas, axis=None)
            for of_replicas in strategy.run(self._train_step, (batch,))
        )
        return float(loss), int(hits)

    def _step(self, batch: Batch) -> tuple[tf.Tensor, tf.Tensor]:
        """One step of one replica; both sums over its share of the batch's rows."""
        context = tf.distribute.get_replica_context()
        replica, replicas = context.replica_id_in_sync_group, context.num_replicas_in_sync
        share = batch
        if replicas > 1:
            share = {name: rows[replica::replicas] for name, rows in batch.items()}
        with tf.GradientTape() as tape:
            # What is dropped follows from the step, so a resumed run drops the same.
            step = tf.cast(self._optimizer.iterations, tf.int32) * replicas + replica
            seed = tf.stack([self._settings.seed, step])
            losses, hits = self._forward(share, training=True, seed=seed)
            loss = losses / tf.cast(tf.size(batch["label"]), tf.float32)
        variables = self._model.trainable_variables
        self._optimizer.apply(tape.gradient(loss, variables), variables)
        return losses, hits

    def _forward(
        self, batch: Batch, training: bool = False, seed: tf.Tensor | None = None
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """The sum of the rows' losses and the number of right answers."""
        logits = self._model(batch, training=training, seed=seed)
        losses = tf.nn.sparse_softmax_cross_entropy_with_logits(batch["label"], logits)
        hits = tf.argmax(logits, -1, tf.int32) == batch["label"]
        return tf.reduce_sum(losses), tf.reduce_sum(tf.cast(hits, tf.int32))

    def _evaluate(self) -> tuple[float, float]:
        """Accuracy and mean loss on the eval split; NaN where it has no rows."""
        losses, right, rows = 0.0, 0, 0
        for batch in batches.evaluation_batches(
            self._splits.eval, self._settings.batch_size, self._pad_id
        ):
            loss, hits = self._judge(batch)
            losses, right = losses + float(loss), right + int(hits)
            rows += int(batch["label"].shape[0])
        return (right / rows, losses / rows) if rows else (math.nan, math.nan)


def _rank(account: dict[str, Any]) -> tuple[float, float]:
    """By eval accuracy; of two equal ones the surer is better."""
    return account["eval_accuracy"], -account["eval_loss"]
