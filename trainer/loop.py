"""The training loop: epochs of bucketed batches, the best epoch by eval kept.

A loop of our own because Keras 3's `fit` fails under MultiWorkerMirroredStrategy; every step goes
through ``strategy.run``, which is a plain call where there is one replica. Every replica is given
the whole batch and takes its share of the rows, so N replicas train as one does.
"""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import keras
import numpy as np
import tensorflow as tf

from trainer import batches, optimizer, progress
from trainer.batches import Layout
from trainer.model.sums import Sums
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
    head_rate: float = 1.0


@dataclass(frozen=True)
class Splits:
    """File patterns of the transformed splits."""

    train: list[str]
    eval: list[str]


class Trainable(Protocol):
    """A model that the loop can train: a built Keras layer that tells its sums."""

    metric: str  # what the quality of its sums is called
    variables: list[keras.Variable]
    trainable_variables: list[keras.Variable]

    def sums(self, batch: Batch, training: bool = False, seed: tf.Tensor | None = None) -> Sums:
        """Loss and right answers of a batch; ``seed``, [2] int32, decides what is dropped."""


class Loop:
    """Trains a model that gives the sums of a batch.

    Args:
        model: built; see `Trainable`.
        settings: how to train.
        splits: what to train on.
        layout: of the batches.
        state_folder: where a killed run continues from; removed when training is done.
    """

    def __init__(
        self,
        model: Trainable,
        settings: TrainSettings,
        splits: Splits,
        layout: Layout,
        state_folder: str,
    ) -> None:
        self._model, self._settings, self._splits, self._layout = model, settings, splits, layout
        self._steps = math.ceil(batches.count(splits.train, layout) / layout.batch_size)
        self._optimizer = optimizer.adamw(
            model,
            learning_rate=settings.learning_rate,
            warmup=settings.warmup,
            weight_decay=settings.weight_decay,
            clip_norm=settings.clip_norm,
            head_rate=settings.head_rate,
            total_steps=self._steps * settings.epochs,
        )
        self._checkpoint = Checkpoint(state_folder, [*model.variables, *self._optimizer.variables])
        # One trace for all lengths.
        self._train_step = tf.function(self._step, input_signature=[layout.signature])
        self._judge = tf.function(model.sums, input_signature=[layout.signature])

    def run(self, after_epoch: Callable[[dict[str, Any]], None]) -> list[dict[str, Any]]:
        """Trains, and leaves the best epoch's weights in the model.

        Args:
            after_epoch: called with each epoch's account: ``epoch`` (from 1), ``loss``,
                ``eval_loss``, ``seconds``, ``examples_per_s``, ``best``, ``metric`` (the model's),
                and ``train_…`` and ``eval_…`` with the metric's name.

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
            account["best"] = all(self._rank(account) > self._rank(earlier) for earlier in history)
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
        seen, rows = _Total(), 0
        epoch_batches = batches.training_batches(
            self._splits.train, self._layout, self._settings.seed, epoch
        )
        for step, batch in enumerate(epoch_batches, 1):
            seen.add(self._sums(batch))
            rows += int(batch["input_mask"].shape[0])
            if time.monotonic() - told > _TELL_EVERY_S or step == self._steps:
                told = time.monotonic()
                progress.publish(
                    "step",
                    epoch=epoch + 1,
                    done=step,
                    total=self._steps,
                    loss=seen.mean_loss,
                    examples_per_s=rows / (told - started),
                )
        seconds = time.monotonic() - started
        judged = self._evaluate()
        return {
            "epoch": epoch + 1,
            "loss": seen.mean_loss,
            "metric": self._model.metric,
            f"train_{self._model.metric}": seen.quality,
            f"eval_{self._model.metric}": judged.quality,
            "eval_loss": judged.mean_loss,
            "seconds": seconds,
            "examples_per_s": rows / seconds,
        }

    def _sums(self, batch: Batch) -> Sums:
        """One step on all replicas; the sums over the whole batch."""
        strategy = tf.distribute.get_strategy()
        return Sums(
            *(
                strategy.reduce(tf.distribute.ReduceOp.SUM, of_replicas, axis=None)
                for of_replicas in strategy.run(self._train_step, (batch,))
            )
        )

    def _step(self, batch: Batch) -> Sums:
        """One step of one replica; the sums over its share of the batch's rows."""
        context = tf.distribute.get_replica_context()
        replica, replicas = context.replica_id_in_sync_group, context.num_replicas_in_sync
        share = batch
        if replicas > 1:
            share = {name: rows[replica::replicas] for name, rows in batch.items()}
        with tf.GradientTape() as tape:
            # What is dropped follows from the step, so a resumed run drops the same.
            step = tf.cast(self._optimizer.iterations, tf.int32) * replicas + replica
            seed = tf.stack([self._settings.seed, step])
            sums = self._model.sums(share, training=True, seed=seed)
            weight = sums.weight
            if replicas > 1:
                weight = context.all_reduce(tf.distribute.ReduceOp.SUM, weight)
            loss = tf.math.divide_no_nan(sums.loss, weight)
        variables = self._model.trainable_variables
        self._optimizer.apply(tape.gradient(loss, variables), variables)
        return sums

    def _evaluate(self) -> "_Total":
        judged = _Total()
        for batch in batches.evaluation_batches(self._splits.eval, self._layout):
            judged.add(self._judge(batch))
        return judged

    def _rank(self, account: dict[str, Any]) -> tuple[float, float]:
        """By the metric on eval; of two equal ones the surer is better."""
        return account[f"eval_{self._model.metric}"], -account["eval_loss"]


class _Total:
    """Sums over batches; mean and quality are NaN where there was nothing."""

    def __init__(self) -> None:
        self._loss = self._weight = 0.0
        self._hits = self._given = 0

    def add(self, sums: Sums) -> None:
        self._loss, self._weight = self._loss + float(sums.loss), self._weight + float(sums.weight)
        self._hits += int(sums.hits)
        self._given += int(sums.gold) + int(sums.predicted)

    @property
    def mean_loss(self) -> float:
        return self._loss / self._weight if self._weight else math.nan

    @property
    def quality(self) -> float:
        return 2 * self._hits / self._given if self._given else math.nan
