"""The training loop: epochs of bucketed batches, the best epoch by eval kept.

A loop of our own because Keras 3's `fit` fails under MultiWorkerMirroredStrategy. Every worker
runs it, over the same batches; the chief alone tells and writes.
"""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from trainer import batches, optimizer, progress, workers
from trainer.batches import Layout
from trainer.model.sums import Sums
from trainer.resume import Checkpoint
from trainer.step import Step, Trainable

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
    accumulate: int = 1  # parts that a batch is computed in, for less memory


@dataclass(frozen=True)
class Splits:
    """File patterns of the transformed splits."""

    train: list[str]
    eval: list[str]


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
        self._strategy, self._writes = tf.distribute.get_strategy(), workers.is_chief()
        self._step = Step(
            model, self._optimizer, layout.signature, settings.seed, settings.accumulate
        )

    def run(self, after_epoch: Callable[[dict[str, Any]], None]) -> list[dict[str, Any]]:
        """Trains, and leaves the best epoch's weights in the model.

        Args:
            after_epoch: called by the chief with each epoch's account: ``epoch`` (from 1),
                ``loss``, ``eval_loss``, ``seconds``, ``examples_per_s``, ``best``, ``metric`` (the
                model's), and ``train_…`` and ``eval_…`` with the metric's name.

        Returns:
            The accounts of all epochs, those of a killed run included.
        """
        history: list[dict[str, Any]] = []
        best: list[np.ndarray] = []
        if restored := self._checkpoint.restore():
            history, best = restored[0]["epochs"], restored[1]
            self._publish("resumed", after_epoch=len(history))
        workers.check_alike(
            self._strategy, steps_an_epoch=self._steps, epochs_that_are_done=len(history)
        )
        for epoch in range(len(history), self._settings.epochs):
            account = self._epoch(epoch)
            account["best"] = all(self._rank(account) > self._rank(earlier) for earlier in history)
            if account["best"]:
                best = [np.asarray(variable) for variable in self._model.variables]
            history.append(account)
            if self._writes:
                self._checkpoint.save({"epochs": history}, best)
                progress.publish("epoch", total=self._settings.epochs, **account)
                after_epoch(account)
        for variable, array in zip(self._model.variables, best, strict=True):
            variable.assign(array)
        return history

    def forget(self) -> None:
        """Removes the state; to be called when the model is safely exported."""
        if self._writes:
            self._checkpoint.delete()

    def _epoch(self, epoch: int) -> dict[str, Any]:
        started = told = time.monotonic()
        seen, rows = _Total(), 0
        epoch_batches = batches.training_batches(
            self._splits.train, self._layout, self._settings.seed, epoch
        )
        for step, batch in enumerate(epoch_batches, 1):
            seen.add(self._step.train(batch))
            rows += int(batch["input_mask"].shape[0])
            if time.monotonic() - told > _TELL_EVERY_S or step == self._steps:
                told = time.monotonic()
                self._publish(
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

    def _evaluate(self) -> "_Total":
        judged = _Total()
        for batch in batches.evaluation_batches(self._splits.eval, self._layout):
            judged.add(self._step.judge(batch))
        return judged

    def _publish(self, event: str, **values: Any) -> None:
        if self._writes:
            progress.publish(event, **values)

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
