"""Batches of like lengths: every row once an epoch, little padding, a repeatable order."""

import math
import random
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from tiny_training import write_rows

from trainer import batches
from trainer.batches import Layout

PAD = 9
LAYOUT = Layout("classify", 8, max_tokens=64, pad_id=PAD)
Ids = tuple[int, ...]


def rows_of(number: int, seed: int = 1) -> list[tuple[list[int], int]]:
    """Rows of 2 to 40 ids; the first ids are the row's number, the label its last digit."""
    rng = random.Random(seed)
    return [
        ([100 + n, *rng.choices(range(10, 90), k=rng.randint(1, 39))], n % 10)
        for n in range(number)
    ]


@pytest.fixture
def data(tmp_path: Path) -> tuple[list[tuple[list[int], int]], list[str]]:
    """203 rows in two files, and the pattern that names them."""
    rows = rows_of(203)
    write_rows(tmp_path / "rows-00000.gz", rows[:90])
    write_rows(tmp_path / "rows-00001.gz", rows[90:])
    return rows, [str(tmp_path / "rows-*")]


def unpadded(epoch: tf.data.Dataset) -> list[tuple[Ids, int]]:
    return [
        (tuple(ids[mask == 1].tolist()), int(label))
        for batch in epoch.as_numpy_iterator()
        for ids, mask, label in zip(
            batch["input_word_ids"], batch["input_mask"], batch["label"], strict=True
        )
    ]


def training(patterns: list[str], seed: int = 1, epoch: int = 0) -> tf.data.Dataset:
    return batches.training_batches(patterns, LAYOUT, seed, epoch)


@pytest.mark.parametrize("size", [1, 8, 64, 203, 500])
def test_an_epoch_has_every_row_once_in_as_few_steps_as_can_be(data, size: int) -> None:
    rows, patterns = data
    epoch = batches.training_batches(patterns, replace(LAYOUT, batch_size=size), seed=1, epoch=0)
    steps = list(epoch.as_numpy_iterator())
    assert len(steps) == math.ceil(len(rows) / size)
    assert sorted(unpadded(epoch)) == sorted((tuple(ids), label) for ids, label in rows)


def test_evaluation_has_every_row_once(data) -> None:
    rows, patterns = data
    seen = unpadded(batches.evaluation_batches(patterns, LAYOUT))
    assert sorted(seen) == sorted((tuple(ids), label) for ids, label in rows)


def test_padding_goes_to_the_longest_of_the_batch_and_no_further(data) -> None:
    real = padded = 0
    for batch in training(data[1]).as_numpy_iterator():
        ids, mask = batch["input_word_ids"], batch["input_mask"]
        assert mask.sum(1).max() == ids.shape[1]
        assert (ids[mask == 0] == PAD).all()
        assert (batch["input_type_ids"] == 0).all()
        real, padded = real + int(mask.sum()), padded + int((mask == 0).sum())
    assert padded < 0.05 * real


def test_batches_have_the_signature_of_the_step(data) -> None:
    batch = next(iter(training(data[1])))
    assert batch.keys() == LAYOUT.signature.keys()
    for name, spec in LAYOUT.signature.items():
        assert spec.is_compatible_with(batch[name]), name


def test_short_and_long_batches_come_in_no_order(data) -> None:
    widths = [batch["input_word_ids"].shape[1] for batch in training(data[1]).as_numpy_iterator()]
    assert widths != sorted(widths)
    assert widths != sorted(widths, reverse=True)


@pytest.mark.parametrize(
    ("seed", "epoch", "same"),
    [(1, 0, True), (1, 1, False), (2, 0, False)],
    ids=["same seed and epoch", "next epoch", "other seed"],
)
def test_the_order_follows_from_seed_and_epoch(data, seed: int, epoch: int, same: bool) -> None:
    first = unpadded(training(data[1], seed=1, epoch=0))
    assert (unpadded(training(data[1], seed, epoch)) == first) is same


def test_rows_meet_others_in_the_next_epoch(data) -> None:
    def neighbours(epoch: int) -> set[frozenset[int]]:
        steps = training(data[1], epoch=epoch).as_numpy_iterator()
        return {frozenset(batch["input_word_ids"][:, 0].tolist()) for batch in steps}

    assert len(neighbours(0) & neighbours(1)) < 5


def test_count_and_lengths(data) -> None:
    rows, patterns = data
    measured = [lengths.numpy() for lengths, _ in batches.lengths(patterns)]
    assert batches.count(patterns, LAYOUT) == len(rows)
    assert np.concatenate(measured).tolist() == [len(ids) for ids, _ in rows]
    assert batches.total(patterns, "label") == sum(label for _, label in rows)


def write_tagged(file: Path, rows: list[list[int]]) -> list[str]:
    """Texts of ids between [CLS] 1 and [SEP] 2; each piece a word, its tag its id less ten."""
    with tf.io.TFRecordWriter(str(file), tf.io.TFRecordOptions("GZIP")) as writer:
        for ids in rows:
            values = {
                "input_word_ids": [1, *ids, 2],
                "input_mask": [1] * (len(ids) + 2),
                "input_type_ids": [0] * (len(ids) + 2),
                "first_piece": [0, *[1] * len(ids), 0],
                "tag_ids": [-1, *[one - 10 for one in ids], -1],
            }
            features = {
                name: tf.train.Feature(int64_list=tf.train.Int64List(value=value))
                for name, value in values.items()
            }
            example = tf.train.Example(features=tf.train.Features(feature=features))
            writer.write(example.SerializeToString())
    return [str(file)]


def test_a_long_text_gives_a_row_a_window_and_every_tag_counts_once(tmp_path: Path) -> None:
    texts = [list(range(10, 10 + length)) for length in (0, 3, 6, 7, 40)]
    patterns = write_tagged(tmp_path / "rows.gz", texts)
    layout = Layout("tag", batch_size=2, max_tokens=8, pad_id=PAD)
    known = []
    rows = 0
    for batch in batches.training_batches(patterns, layout, 1, 0).as_numpy_iterator():
        rows += len(batch["input_mask"])
        assert batch["input_word_ids"].shape[1] <= 8
        assert (batch["tag_ids"][batch["input_mask"] == 0] == -1).all()
        assert (batch["first_piece"].sum(1) == batch["input_mask"].sum(1) - 2).all()
        ids, tags = batch["input_word_ids"], batch["tag_ids"]
        assert (tags[tags >= 0] == ids[tags >= 0] - 10).all()
        known += tags[tags >= 0].tolist()
    assert sorted(known) == sorted(one - 10 for text in texts for one in text)
    assert rows == batches.count(patterns, layout) > len(texts)
