"""What a model tells the training loop about a batch: sums, so that batches and replicas add up."""

from typing import NamedTuple

import tensorflow as tf


class Sums(NamedTuple):
    """Scalars; the batch's loss is ``loss / weight``, its quality ``2·hits / (gold + predicted)``.

    For a classifier ``weight``, ``gold`` and ``predicted`` are all the number of rows, and quality
    is accuracy; for a tagger the last three count entities, and quality is their F1.
    """

    loss: tf.Tensor  # float32, summed over what ``weight`` counts
    weight: tf.Tensor  # float32
    hits: tf.Tensor  # int32, right answers
    gold: tf.Tensor  # int32, right answers that there are
    predicted: tf.Tensor  # int32, answers that were given
