"""What a classifier tells the training loop."""

from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from trainer.model.classifier import Classifier, build_classifier


@pytest.fixture
def classifier(tiny_folder: Path) -> Classifier:
    return build_classifier(str(tiny_folder), classes=3, seed=1)


def batch(rows: int) -> dict[str, tf.Tensor]:
    rng = np.random.default_rng(0)
    ids = rng.integers(1, 30, (rows, 6)).astype(np.int32)
    label = rng.integers(0, 3, rows).astype(np.int32)
    return {
        "input_word_ids": tf.constant(ids),
        "input_mask": tf.ones_like(ids),
        "input_type_ids": tf.zeros_like(ids),
        "label": tf.constant(label),
    }


@pytest.mark.parametrize("rows", [5, 1, 0])
def test_sums_are_those_of_the_logits(classifier: Classifier, rows: int) -> None:
    given = batch(rows)
    logits, label = np.asarray(classifier(given), np.float64), given["label"].numpy()
    log_probabilities = logits - np.log(np.exp(logits).sum(-1, keepdims=True))
    sums = classifier.sums(given)
    np.testing.assert_allclose(sums.loss, -log_probabilities[range(rows), label].sum(), rtol=1e-5)
    assert int(sums.hits) == (logits.argmax(-1) == label).sum()
    assert float(sums.weight) == int(sums.gold) == int(sums.predicted) == rows
    assert sums.loss.dtype == sums.weight.dtype == tf.float32
    assert classifier.metric == "accuracy"


def test_dropout_in_training_only_and_by_seed(classifier: Classifier) -> None:
    given, seed = batch(5), tf.constant([3, 4])
    still, *dropped = (
        float(classifier.sums(given, training=training, seed=seed).loss)
        for training in (False, True, True)
    )
    assert dropped[0] == dropped[1] != still
