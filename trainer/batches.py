"""Transformed examples to batches of like lengths.

Rows are shuffled, drawn into pools of some thousand, sorted by length inside the pool and cut into
batches, whose order is shuffled again: hardly a padded position is multiplied, every epoch has
``ceil(rows / batch_size)`` steps, and memory is one shuffle buffer whatever the data's size. The
order is a function of seed and epoch alone, so a resumed run sees what the killed one would have.

A text that is longer than the encoder reads gives a row for each of its windows.
"""

from collections.abc import Callable
from dataclasses import dataclass

import tensorflow as tf

from trainer.text import windows
from trainer.text.labels import UNKNOWN
from trainer.text.pads import pads

ENCODER_INPUTS = ("input_word_ids", "input_mask", "input_type_ids")
SHUFFLE_ROWS = 100_000  # about 60 MB; files sorted by class need a deep shuffle
POOL_BATCHES = 64

_PER_TOKEN = {"classify": ENCODER_INPUTS, "tag": (*ENCODER_INPUTS, "first_piece", "tag_ids")}
_PER_ROW = {"classify": ("label",), "tag": ()}
_READ_AT_ONCE = 1024
_RAGGED = tf.io.RaggedFeature(tf.int64, row_splits_dtype=tf.int64)
_IDS = {"input_word_ids": _RAGGED}


@dataclass(frozen=True)
class Layout:
    """What a batch looks like.

    Attributes:
        task: ``classify`` or ``tag``.
        batch_size: rows a batch; the last one of an epoch may be smaller.
        max_tokens: the longest row, [CLS] and [SEP] counted.
        pad_id: the vocabulary's [PAD].
    """

    task: str
    batch_size: int
    max_tokens: int
    pad_id: int

    @property
    def signature(self) -> dict[str, tf.TensorSpec]:
        """Of a batch: [rows, tokens] and [rows], all int32."""
        per_token = dict.fromkeys(_PER_TOKEN[self.task], tf.TensorSpec([None, None], tf.int32))
        return per_token | dict.fromkeys(_PER_ROW[self.task], tf.TensorSpec([None], tf.int32))

    @property
    def pads(self) -> dict[str, int]:
        """What stands beyond a row's end."""
        return pads(_PER_TOKEN[self.task], self.pad_id)

    @property
    def features(self) -> dict[str, tf.io.RaggedFeature | tf.io.FixedLenFeature]:
        """Of a transformed tf.Example."""
        per_token = dict.fromkeys(_PER_TOKEN[self.task], _RAGGED)
        per_row = {name: tf.io.FixedLenFeature([], tf.int64) for name in _PER_ROW[self.task]}
        return {**per_token, **per_row}


def read(patterns: list[str]) -> tf.data.Dataset:
    """Serialized tf.Examples of gzipped TFRecord files, in file order."""
    files = sorted(path for pattern in patterns for path in tf.io.gfile.glob(pattern))
    return tf.data.TFRecordDataset(files, compression_type="GZIP")


def lengths(patterns: list[str]) -> tf.data.Dataset:
    """Pieces per text and pieces that truncation dropped, both ``[rows] int64``."""
    spec = {**_IDS, "dropped_tokens": tf.io.FixedLenFeature([], tf.int64)}

    def measure(serialized: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        rows = tf.io.parse_example(serialized, spec)
        return rows["input_word_ids"].row_lengths(), rows["dropped_tokens"]

    return read(patterns).batch(_READ_AT_ONCE).map(measure)


def word_ids(patterns: list[str]) -> tf.data.Dataset:
    """All pieces' ids, ``[pieces] int64`` for a thousand rows at a time."""

    def flat(serialized: tf.Tensor) -> tf.Tensor:
        return tf.io.parse_example(serialized, _IDS)["input_word_ids"].values

    return read(patterns).batch(_READ_AT_ONCE).map(flat)


def total(patterns: list[str], feature: str) -> int:
    """Sum over all rows of a feature that has one number a row; rows without it count as 0."""
    spec = {feature: tf.io.FixedLenFeature([], tf.int64, default_value=0)}
    return _sum(patterns, lambda serialized: tf.io.parse_example(serialized, spec)[feature])


def count(patterns: list[str], layout: Layout) -> int:
    """Number of rows, windows counted one by one."""
    return _sum(patterns, lambda serialized: _windows_in(serialized, layout.max_tokens))


def _sum(patterns: list[str], number: Callable[[tf.Tensor], tf.Tensor]) -> int:
    """Over all rows; ``number`` takes serialized examples to one each, [rows] int64."""
    numbers = read(patterns).batch(_READ_AT_ONCE).map(number)
    zero = tf.constant(0, tf.int64)
    return int(numbers.reduce(zero, lambda sum, more: sum + tf.reduce_sum(more)).numpy())


def training_batches(patterns: list[str], layout: Layout, seed: int, epoch: int) -> tf.data.Dataset:
    """One epoch of shuffled batches.

    Args:
        patterns: file patterns of the split.
        layout: of the batches.
        seed: with ``epoch`` decides the order.
        epoch: number of the epoch, from 0.

    Returns:
        Dictionaries of the layout's signature, padded to the batch's longest row.
    """
    rows = _windows_of(read(patterns), layout.max_tokens).shuffle(
        SHUFFLE_ROWS, seed=seed * 10_007 + epoch, reshuffle_each_iteration=False
    )
    batches = _batches_of_like_length(rows, layout)
    return batches.shuffle(
        POOL_BATCHES, seed=seed * 10_007 + epoch, reshuffle_each_iteration=False
    ).prefetch(2)


def evaluation_batches(patterns: list[str], layout: Layout) -> tf.data.Dataset:
    """All rows once, in batches of like lengths; the same dictionaries as in training."""
    rows = _windows_of(read(patterns), layout.max_tokens)
    return _batches_of_like_length(rows, layout).prefetch(2)


def _windows_of(examples: tf.data.Dataset, max_tokens: int) -> tf.data.Dataset:
    """Serialized examples ▶ (serialized example, number of the window), an element a window."""

    def numbered(serialized: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        number = _windows_in(serialized, max_tokens)
        return tf.repeat(serialized, number), tf.ragged.range(number).values

    return examples.batch(_READ_AT_ONCE).map(numbered).unbatch()


def _windows_in(serialized: tf.Tensor, max_tokens: int) -> tf.Tensor:
    """How many windows each example has, [rows] int64."""
    ids = tf.io.parse_example(serialized, _IDS)["input_word_ids"]
    return windows.how_many(ids.row_lengths(), max_tokens)


def _batches_of_like_length(rows: tf.data.Dataset, layout: Layout) -> tf.data.Dataset:
    def cut(serialized: tf.Tensor, window: tf.Tensor) -> tf.data.Dataset:
        pool = tf.io.parse_example(serialized, layout.features)
        pool = _windowed(pool, window, layout.max_tokens)
        order = tf.argsort(pool["input_word_ids"].row_lengths(), stable=True)
        pool = {key: tf.cast(tf.gather(value, order), tf.int32) for key, value in pool.items()}

        def batch(start: tf.Tensor) -> dict[str, tf.Tensor]:
            rows = {key: value[start : start + layout.batch_size] for key, value in pool.items()}
            dense = {key: rows[key].to_tensor(pad) for key, pad in layout.pads.items()}
            return {**rows, **dense}

        return tf.data.Dataset.range(0, tf.size(order, tf.int64), layout.batch_size).map(batch)

    return rows.batch(layout.batch_size * POOL_BATCHES).flat_map(cut)


def _windowed(
    pool: dict[str, tf.Tensor | tf.RaggedTensor], number: tf.Tensor, max_tokens: int
) -> dict[str, tf.Tensor | tf.RaggedTensor]:
    """Of every row the window of that number; a tag counts in the window that owns its word."""
    cut = windows.window(pool["input_word_ids"].row_splits, number, max_tokens)
    rows = {
        name: cut.tokens.with_values(tf.gather(column.values, cut.tokens.values))
        if isinstance(column, tf.RaggedTensor)
        else column
        for name, column in pool.items()
    }
    if "tag_ids" in rows:
        owned = tf.where(cut.owned.values, rows["tag_ids"].values, UNKNOWN)
        rows["tag_ids"] = cut.owned.with_values(owned)
    return rows
