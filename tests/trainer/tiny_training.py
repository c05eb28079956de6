"""A tiny classifier and transformed rows that it can learn from.

As a program, trains and tells each event as a line of JSON; dies by SIGKILL in an epoch if told to:

    python tiny_training.py FOLDER WEIGHTS [--die-in EPOCH] [--replicas N] [--dropout RATE]
        [--accumulate PARTS] [--data FOLDER]

With TF_CONFIG it is one of several workers, each of which has data of its own, all the same.
"""

import argparse
import json
import os
import random
import signal
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from trainer import progress, workers
from trainer.batches import Layout
from trainer.loop import Loop, Splits, TrainSettings
from trainer.model.classifier import Classifier, build_classifier
from trainer.model.config import EncoderConfig

PAD, CLS, SEP, GOOD, BAD, FIRST_WORD, WORDS = 0, 1, 2, 3, 4, 5, 40
SETTINGS = TrainSettings(
    epochs=3,
    batch_size=8,
    learning_rate=3e-3,
    warmup=0.1,
    weight_decay=0.01,
    clip_norm=1.0,
    seed=7,
)
LAYOUT = Layout("classify", SETTINGS.batch_size, max_tokens=32, pad_id=PAD)


def write_rows(file: Path, rows: Sequence[tuple[Sequence[int], int]]) -> str:
    """Rows of ids and label as Transform writes them; gives the file's pattern."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with tf.io.TFRecordWriter(str(file), tf.io.TFRecordOptions("GZIP")) as writer:
        for ids, label in rows:
            values = {
                "input_word_ids": ids,
                "input_mask": [1] * len(ids),
                "input_type_ids": [0] * len(ids),
                "starts": [0] * len(ids),
                "ends": [0] * len(ids),
                "dropped_tokens": [0],
                "label": [label],
            }
            features = {
                name: tf.train.Feature(int64_list=tf.train.Int64List(value=value))
                for name, value in values.items()
            }
            example = tf.train.Example(features=tf.train.Features(feature=features))
            writer.write(example.SerializeToString())
    return str(file)


def learnable(rows: int, seed: int, contrary: bool = False) -> list[tuple[list[int], int]]:
    """Texts with a telling word; contrary labels say the opposite of it."""
    rng = random.Random(seed)
    made = []
    for number in range(rows):
        words = rng.choices(range(FIRST_WORD, WORDS), k=rng.randint(1, 9))
        words.insert(rng.randrange(len(words) + 1), (BAD, GOOD)[number % 2])
        made.append(([CLS, *words, SEP], (number + contrary) % 2))
    return made


def tiny_classifier(folder: Path, dropout: float = 0.1) -> Classifier:
    """One layer, 16 wide, random weights."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "vocab.txt").write_text("".join(f"{n}\n" for n in range(WORDS)))
    EncoderConfig(
        vocab_size=WORDS,
        hidden_size=16,
        num_layers=1,
        num_heads=2,
        intermediate_size=32,
        max_positions=32,
        dropout=dropout,
        attention_dropout=dropout,
    ).to_json(folder / "config.json")
    return build_classifier(str(folder), classes=2, seed=3)


def splits(folder: Path, contrary: bool = False) -> Splits:
    """57 rows to train on, the last batch of one row, and 20 to choose by."""
    train = write_rows(folder / "train.gz", learnable(57, seed=1))
    return Splits([train], [write_rows(folder / "eval.gz", learnable(20, 2, contrary))])


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("weights", type=Path)
    parser.add_argument("--die-in", type=int, default=0)
    parser.add_argument("--replicas", type=int, default=1)
    parser.add_argument("--dropout", type=float, default=0.1)
    parser.add_argument("--accumulate", type=int, default=1)
    parser.add_argument("--data", type=Path)
    given = parser.parse_args()

    def tell(event: str, values: dict[str, Any]) -> None:
        print(json.dumps({"event": event, **values}), flush=True)
        if event == "step" and values["epoch"] == given.die_in:
            os.kill(os.getpid(), signal.SIGKILL)

    data, settings = given.data or given.folder, replace(SETTINGS, accumulate=given.accumulate)
    with _strategy(given.replicas).scope(), workers.told_plainly():
        model = tiny_classifier(data / "encoder", given.dropout)
        loop = Loop(model, settings, splits(data), LAYOUT, str(given.folder / "state"))
        with progress.listening(tell):
            loop.run(lambda account: None)
    np.savez(given.weights, *(np.asarray(variable) for variable in model.variables))


def _strategy(replicas: int) -> tf.distribute.Strategy:
    if replicas == 1:
        return workers.strategy()
    [cpu] = tf.config.list_physical_devices("CPU")
    tf.config.set_logical_device_configuration(
        cpu, [tf.config.LogicalDeviceConfiguration()] * replicas
    )
    return tf.distribute.MirroredStrategy([f"CPU:{n}" for n in range(replicas)])


if __name__ == "__main__":
    main()
