"""The training loop: killed and continued, the best epoch kept."""

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tiny_training
from tiny_training import LAYOUT, SETTINGS, splits, tiny_classifier

from trainer import batches, progress
from trainer.loop import Loop, Splits
from trainer.resume import Checkpoint


class Trained:
    """A training in a process of its own: exit code, events in order, file of the weights."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        self.weights = folder / "weights.npz"
        command = [sys.executable, tiny_training.__file__, str(folder), str(self.weights)]
        done = subprocess.run([*command, *arguments], capture_output=True, text=True)
        self.code, self.errors = done.returncode, done.stderr[-3000:]
        self.events = [json.loads(line) for line in done.stdout.splitlines() if line[:1] == "{"]

    def epochs(self) -> list[int]:
        return [event["epoch"] for event in self.events if event["event"] == "epoch"]

    def arrays(self) -> list[np.ndarray]:
        with np.load(self.weights) as stored:
            return [stored[name] for name in stored.files]


def test_a_training_killed_in_epoch_2_ends_as_if_it_had_not_been(tmp_path: Path) -> None:
    killed = Trained(tmp_path / "killed", "--die-in", "2")
    assert killed.code == -signal.SIGKILL, killed.errors
    assert not killed.weights.exists()
    heard: list[dict[str, Any]] = []
    with progress.listening(lambda event, values: heard.append({"event": event, **values})):
        resumed, _ = train(tmp_path / "killed", splits(tmp_path / "killed"))
    whole, _ = train(tmp_path / "whole", splits(tmp_path / "whole"))
    assert killed.epochs() == [1]
    assert {"event": "resumed", "after_epoch": 1} in heard
    assert [told["epoch"] for told in heard if told["event"] == "epoch"] == [2, 3]
    for ours, theirs in zip(resumed.variables, whole.variables, strict=True):
        np.testing.assert_array_equal(np.asarray(ours), np.asarray(theirs))


def test_two_replicas_train_as_one_does(tmp_path: Path) -> None:
    two = Trained(tmp_path / "two", "--dropout", "0", "--replicas", "2")
    assert two.code == 0, two.errors
    assert two.epochs() == [1, 2, 3]
    one, _ = train(tmp_path / "one", splits(tmp_path / "one"), dropout=0.0)
    for alone, together in zip(one.variables, two.arrays(), strict=True):
        np.testing.assert_allclose(together, np.asarray(alone), atol=1e-4)


def train(
    folder: Path, data: Splits, dropout: float = 0.1, **settings: Any
) -> tuple[Any, list[dict[str, Any]]]:
    """A model and the account of its epochs."""
    model = tiny_classifier(folder / "encoder", dropout)
    given = type(SETTINGS)(**{**vars(SETTINGS), **settings})
    return model, Loop(model, given, data, LAYOUT, str(folder / "state")).run(lambda _: None)


def accuracy(model: Any, data: Splits) -> float:
    hits = [
        np.argmax(np.asarray(model(batch)), -1) == batch["label"].numpy()
        for batch in batches.evaluation_batches(data.eval, LAYOUT)
    ]
    return float(np.mean(np.concatenate(hits)))


def test_it_learns(tmp_path: Path) -> None:
    data = splits(tmp_path)
    model, history = train(tmp_path, data, epochs=10, seed=3)
    assert [account["epoch"] for account in history] == list(range(1, 11))
    assert history[-1]["loss"] < history[0]["loss"]
    assert accuracy(model, data) == max(account["eval_accuracy"] for account in history) >= 0.9


def test_the_best_epoch_is_kept_not_the_last(tmp_path: Path) -> None:
    data = splits(tmp_path, contrary=True)  # the better it learns, the worse it does there
    model, history = train(tmp_path, data, epochs=10)
    accuracies = [account["eval_accuracy"] for account in history]
    assert accuracies[-1] < max(accuracies)
    assert accuracy(model, data) == pytest.approx(max(accuracies))
    assert [account["best"] for account in history].count(True) >= 1
    assert not history[-1]["best"]


def test_the_same_seed_gives_the_same_weights_and_another_does_not(tmp_path: Path) -> None:
    made = [
        train(tmp_path / str(number), splits(tmp_path), epochs=1, seed=seed)[0]
        for number, seed in enumerate((1, 1, 2))
    ]
    first, same, other = ([np.asarray(v) for v in model.variables] for model in made)
    assert all(np.array_equal(a, b) for a, b in zip(first, same, strict=True))
    assert not all(np.array_equal(a, b) for a, b in zip(first, other, strict=True))


def test_a_finished_training_run_again_trains_nothing(tmp_path: Path) -> None:
    data, heard = splits(tmp_path), list[str]()
    first, history = train(tmp_path, data)
    with progress.listening(lambda event, _: heard.append(event)):
        second, again = train(tmp_path, data)
    assert heard == ["encoder", "resumed"]
    assert again == history
    for ours, theirs in zip(second.variables, first.variables, strict=True):
        np.testing.assert_array_equal(np.asarray(ours), np.asarray(theirs))


def test_forgetting_removes_the_state(tmp_path: Path) -> None:
    model = tiny_classifier(tmp_path / "encoder")
    loop = Loop(model, SETTINGS, splits(tmp_path), LAYOUT, str(tmp_path / "state"))
    loop.run(lambda _: None)
    assert (tmp_path / "state").exists()
    loop.forget()
    assert not (tmp_path / "state").exists()


@pytest.mark.parametrize("left", ["absent", "cut short", "only a part"])
def test_a_state_that_is_not_whole_is_no_state(tmp_path: Path, left: str) -> None:
    model = tiny_classifier(tmp_path / "encoder")
    checkpoint = Checkpoint(str(tmp_path / "state"), model.variables)
    if left != "absent":
        checkpoint.save({"epochs": []}, [])
        [file] = (tmp_path / "state").iterdir()
        if left == "cut short":
            file.write_bytes(file.read_bytes()[:-100])
        else:
            file.rename(file.with_name(file.name + ".part"))
    assert checkpoint.restore() is None
