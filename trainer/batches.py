"""Transformed examples to batches of like lengths.

Rows are shuffled, drawn into pools of some thousand, sorted by length inside the pool and cut into
batches, whose order is shuffled again: hardly a padded position is multiplied, every epoch has
``ceil(rows / batch_size)`` steps, and memory is one shuffle buffer whatever the data's size. The
order is a function of seed and epoch alone, so a resumed run sees what the killed one would have.
"""

import tensorflow as tf

from trainer.preprocessing import VARIABLE_OUTPUTS

ENCODER_INPUTS = ("input_word_ids", "input_mask", "input_type_ids")
SHUFFLE_ROWS = 100_000  # about 60 MB; files sorted by class need a deep shuffle
POOL_BATCHES = 64

_SPEC = {name: tf.io.RaggedFeature(tf.int64) for name in VARIABLE_OUTPUTS} | {
    "dropped_tokens": tf.io.FixedLenFeature([], tf.int64),
    "label": tf.io.FixedLenFeature([], tf.int64),
}
_BATCH_SPEC = {name: _SPEC[name] for name in (*ENCODER_INPUTS, "label")}

SIGNATURE = {name: tf.TensorSpec([None, None], tf.int32) for name in ENCODER_INPUTS} | {
    "label": tf.TensorSpec([None], tf.int32)
}


def read(patterns: list[str]) -> tf.data.Dataset:
    """Serialized tf.Examples of gzipped TFRecord files, in file order."""
    files = sorted(path for pattern in patterns for path in tf.io.gfile.glob(pattern))
    return tf.data.TFRecordDataset(files, compression_type="GZIP")


def lengths(patterns: list[str], rows_at_once: int = 1024) -> tf.data.Dataset:
    """Pieces per text and pieces that truncation dropped, both ``[rows] int64``."""

    def measure(serialized: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        rows = tf.io.parse_example(serialized, _SPEC)
        return rows["input_word_ids"].row_lengths(), rows["dropped_tokens"]

    return read(patterns).batch(rows_at_once).map(measure)


def count(patterns: list[str]) -> int:
    """Number of rows."""
    return int(read(patterns).reduce(tf.constant(0, tf.int64), lambda n, _: n + 1).numpy())


def training_batches(
    patterns: list[str], batch_size: int, pad_id: int, seed: int, epoch: int
) -> tf.data.Dataset:
    """One epoch of shuffled batches.

    Args:
        patterns: file patterns of the split.
        batch_size: rows a batch; the last one of an epoch may be smaller.
        pad_id: the vocabulary's [PAD].
        seed: with ``epoch`` decides the order.
        epoch: number of the epoch, from 0.

    Returns:
        Dictionaries of ``input_word_ids``, ``input_mask``, ``input_type_ids``
        ``[batch, tokens] int32``, padded to the batch's longest, and ``label`` ``[batch] int32``.
    """
    rows = read(patterns).shuffle(
        SHUFFLE_ROWS, seed=seed * 10_007 + epoch, reshuffle_each_iteration=False
    )
    batches = _batches_of_like_length(rows, batch_size, pad_id)
    return batches.shuffle(
        POOL_BATCHES, seed=seed * 10_007 + epoch, reshuffle_each_iteration=False
    ).prefetch(2)


def evaluation_batches(patterns: list[str], batch_size: int, pad_id: int) -> tf.data.Dataset:
    """All rows once, in batches of like lengths; the same dictionaries as in training."""
    return _batches_of_like_length(read(patterns), batch_size, pad_id).prefetch(2)


def _batches_of_like_length(rows: tf.data.Dataset, batch_size: int, pad_id: int) -> tf.data.Dataset:
    pads = dict.fromkeys(ENCODER_INPUTS, 0) | {"input_word_ids": pad_id}

    def cut(serialized: tf.Tensor) -> tf.data.Dataset:
        pool = tf.io.parse_example(serialized, _BATCH_SPEC)
        order = tf.argsort(pool["input_word_ids"].row_lengths(), stable=True)
        pool = {key: tf.cast(tf.gather(value, order), tf.int32) for key, value in pool.items()}

        def batch(start: tf.Tensor) -> dict[str, tf.Tensor]:
            rows = {key: value[start : start + batch_size] for key, value in pool.items()}
            return {key: rows[key].to_tensor(pad) for key, pad in pads.items()} | {
                "label": rows["label"]
            }

        return tf.data.Dataset.range(0, tf.size(order, tf.int64), batch_size).map(batch)

    return rows.batch(batch_size * POOL_BATCHES).flat_map(cut)


def word_ids(patterns: list[str], rows_at_once: int = 1024) -> tf.data.Dataset:
    """All pieces' ids, ``[pieces] int64`` for a thousand rows at a time."""

    def flat(serialized: tf.Tensor) -> tf.Tensor:
        return tf.io.parse_example(serialized, _SPEC)["input_word_ids"].values

    return read(patterns).batch(rows_at_once).map(flat)
