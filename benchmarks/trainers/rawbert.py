"""Ours: the step that the Trainer component takes."""

import os
from collections.abc import Callable
from typing import Any

import numpy as np

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import tensorflow as tf

from trainer import optimizer
from trainer.batches import Layout
from trainer.model.classifier import build_classifier
from trainer.step import Step

Batch = dict[str, np.ndarray]


def load(
    folder: str, head: np.ndarray, how: dict[str, Any], threads: int
) -> tuple[Callable[[Batch], float], Callable[[Batch], float]]:
    """Functions that train on a batch and that judge one; both give its loss.

    Args:
        folder: of the encoder.
        head: kernel, [H, classes]; its bias is 0.
        how: learning_rate, weight_decay, clip_norm, max_tokens.
        threads: of an op.
    """
    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(threads)
    model = build_classifier(folder, head.shape[1], seed=0)
    model.head.logits.kernel.assign(head)
    adamw = optimizer.adamw(
        model,
        learning_rate=how["learning_rate"],
        warmup=0.0,
        weight_decay=how["weight_decay"],
        clip_norm=how["clip_norm"],
        total_steps=1_000_000,
    )
    step = Step(model, adamw, Layout("classify", 0, how["max_tokens"], 0).signature, seed=1)

    def of(function: Callable) -> Callable[[Batch], float]:
        def loss(batch: Batch) -> float:
            sums = function({name: tf.constant(rows) for name, rows in batch.items()})
            return float(sums.loss / sums.weight)

        return loss

    return of(step.train), of(step.judge)
