"""Workers as processes of their own, over loopback: they train as one, and fall as one."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
import tiny_training
from free_ports import free_addresses
from tiny_training import LAYOUT, SETTINGS, splits, tiny_classifier

from trainer import workers
from trainer.errors import BadInput
from trainer.loop import Loop
from trainer.model.classifier import Classifier
from trainer.workers import WorkerLost

NO_HANG_S = 240  # on a machine that is busy with everything else


class Worker:
    """One worker's process; its data is its own, the state is all workers'."""

    def __init__(self, folder: Path, addresses: list[str], index: int, *arguments: str) -> None:
        self.weights = folder / f"weights-{index}.npz"
        self._errors = folder / f"errors-{index}.txt"
        command = [sys.executable, tiny_training.__file__, str(folder), str(self.weights)]
        with self._errors.open("w") as errors:
            self.process = subprocess.Popen(
                [*command, "--data", str(folder / f"data-{index}"), *arguments],
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                env={**os.environ, "TF_CONFIG": config(addresses, index), workers.WAIT: "100"},
            )

    def until(self, event: str, **values: Any) -> dict[str, Any]:
        """Reads what it tells until it tells this."""
        for told in self.told():
            if told["event"] == event and values.items() <= told.items():
                return told
        pytest.fail(f"it ended before {event} {values}:\n{self.errors()}")

    def epochs(self) -> list[dict[str, Any]]:
        """What it tells of its epochs, to its end."""
        return [told for told in self.told() if told["event"] == "epoch"]

    def ended(self) -> int:
        return self.process.wait(NO_HANG_S)

    def errors(self) -> str:
        return self._errors.read_text()[-3000:]

    def arrays(self) -> list[np.ndarray]:
        with np.load(self.weights) as stored:
            return [stored[name] for name in stored.files]

    def told(self) -> Iterator[dict[str, Any]]:
        assert self.process.stdout is not None
        return (json.loads(line) for line in self.process.stdout if line[:1] == "{")


def config(addresses: list[str], index: int) -> str:
    """TF_CONFIG of one of the workers at these addresses."""
    task = {"type": "worker", "index": index}
    return json.dumps({"cluster": {"worker": addresses}, "task": task})


@contextlib.contextmanager
def started(folder: Path, *arguments: str, number: int = 2) -> Iterator[list[Worker]]:
    """The workers of one job; none outlives it."""
    folder.mkdir(parents=True, exist_ok=True)
    addresses = free_addresses(number)
    job = [Worker(folder, addresses, index, *arguments) for index in range(number)]
    try:
        yield job
    finally:
        for worker in job:
            worker.process.kill()
            worker.process.wait()


@pytest.mark.slow
def test_workers_that_are_killed_and_restarted_train_as_one(tmp_path: Path) -> None:
    """Each computes its half of every batch in two parts; the loss curve is one worker's."""
    arguments, curve = ("--dropout", "0", "--accumulate", "2"), []
    for lost in (1, 0):
        with started(tmp_path, *arguments) as job:
            curve.append(job[0].until("epoch", epoch=len(curve) + 1))
            job[lost].process.send_signal(signal.SIGKILL)
            survivor = job[1 - lost]
            assert survivor.ended() not in (0, -signal.SIGKILL)
            assert "WorkerLost: another worker is lost" in survivor.errors()
            assert not survivor.weights.exists()
    with started(tmp_path, *arguments) as (chief, other):
        assert chief.until("resumed")["after_epoch"] == 2
        curve += chief.epochs()
        assert (chief.ended(), other.ended()) == (0, 0), chief.errors() + other.errors()
    assert list(other.told()) == []  # the chief alone tells
    assert sorted(path.name for path in (tmp_path / "state").iterdir()) == ["state.safetensors"]
    model, whole = alone(tmp_path / "alone")
    for name in ("epoch", "loss", "eval_loss", "train_accuracy", "eval_accuracy"):
        expected = [epoch[name] for epoch in whole]
        assert [epoch[name] for epoch in curve] == pytest.approx(expected, abs=1e-5), name
    for ours, theirs, one in zip(chief.arrays(), other.arrays(), model.variables, strict=True):
        np.testing.assert_array_equal(ours, theirs)
        np.testing.assert_allclose(ours, np.asarray(one), atol=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("hung", [1, 0], ids=["a worker", "the chief"])
def test_a_worker_that_hangs_ends_the_others(tmp_path: Path, hung: int) -> None:
    with started(tmp_path) as job:
        job[0].until("step", epoch=1)
        job[hung].process.send_signal(signal.SIGSTOP)
        survivor = job[1 - hung]
        assert survivor.ended() == 1
        assert "is lost or did not come: nothing is heard of " in survivor.errors()


def alone(folder: Path, **settings: Any) -> tuple[Classifier, list[dict[str, Any]]]:
    """The model and the account of its epochs of one worker, in this process."""
    model = tiny_classifier(folder / "encoder", dropout=0)
    given = replace(SETTINGS, **settings)
    loop = Loop(model, given, splits(folder), LAYOUT, str(folder / "state"))
    return model, loop.run(lambda _: None)


def test_a_batch_in_parts_is_the_same_batch(tmp_path: Path) -> None:
    model, curve = alone(tmp_path / "whole")
    in_parts, same = alone(tmp_path / "parts", accumulate=3)  # of 8 rows
    for ours, theirs in zip(same, curve, strict=True):
        assert ours["loss"] == pytest.approx(theirs["loss"], abs=1e-5)
    for ours, theirs in zip(in_parts.variables, model.variables, strict=True):
        np.testing.assert_allclose(np.asarray(ours), np.asarray(theirs), atol=1e-4)


def test_a_worker_that_never_comes_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    addresses = free_addresses(2)
    monkeypatch.setenv("TF_CONFIG", config(addresses, index=0))
    monkeypatch.setenv(workers.WAIT, "1")
    with pytest.raises(WorkerLost, match=f"no worker came to {addresses[1]} in 1 s"):
        workers.strategy()


def test_a_port_that_is_taken_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        addresses = [f"127.0.0.1:{taken.getsockname()[1]}", "127.0.0.1:1"]
        monkeypatch.setenv("TF_CONFIG", config(addresses, index=0))
        with pytest.raises(OSError, match=rf"this worker, {addresses[0]}, cannot be had"):
            workers.strategy()


@pytest.mark.parametrize(
    ("addresses", "told"),
    [
        (None, tf.errors.InternalError),
        (["a:1"], tf.errors.InternalError),
        (["a:1", "b:1"], WorkerLost),
    ],
    ids=["no TF_CONFIG", "the only worker", "one of two"],
)
def test_only_who_has_others_loses_one(
    monkeypatch: pytest.MonkeyPatch, addresses: list[str] | None, told: type[Exception]
) -> None:
    monkeypatch.delenv("TF_CONFIG", raising=False)
    if addresses:
        monkeypatch.setenv("TF_CONFIG", config(addresses, index=0))
    with pytest.raises(told, match="out of memory"), workers.told_plainly():
        raise tf.errors.InternalError(None, None, "out of memory")


@pytest.mark.parametrize(
    ("message", "told"),
    [
        (
            "from fused\nCollective ops is aborted by: Error reported from /job:worker/task:1: Task"
            " /job:worker/replica:0/task:1 heartbeat timeout. This indicates",
            "nothing is heard of worker 1, b:1; stopped",
        ),
        (
            "The following tasks are unhealthy (stopped sending heartbeats):\n"
            "/job:worker/replica:0/task:2\n/job:worker/replica:0/task:1\nThe tasks have crashed.",
            "nothing is heard of worker 1, b:1, worker 2, c:1; stopped",
        ),
        ("Collective ops is aborted by: Deadline Exceeded\nThe error", "heard of a:1, the first"),
        (
            "Collective ops is aborted by: Socket closed\non /job:worker/replica:0/task:1",
            "did not come: Collective ops is aborted by: Socket closed. Start all",
        ),
    ],
    ids=["TensorFlow 2.16", "TensorFlow 2.21", "the one that counts", "another cause"],
)
def test_who_is_silent_is_named(monkeypatch: pytest.MonkeyPatch, message: str, told: str) -> None:
    monkeypatch.setenv("TF_CONFIG", config(["a:1", "b:1", "c:1"], index=0))
    with pytest.raises(WorkerLost, match=told), workers.told_plainly():
        raise tf.errors.UnavailableError(None, None, message)


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ("{", "names no worker that trains"),
        ("[]", "names no worker that trains"),
        ('{"cluster": {"worker": ["a:1"]}, "task": {"type": "worker", "index": 1}}', "worker 1"),
        ('{"cluster": {"worker": ["a:1"]}, "task": {"type": "chief", "index": 0}}', "chief 0"),
        ('{"cluster": {"ps": ["a:1"]}, "task": {"type": "ps", "index": 0}}', "no ps 0"),
        ('{"cluster": {"worker": ["a", "b:1"]}, "task": {"index": 0}}', "no host:port"),
    ],
    ids=["no JSON", "no mapping", "an index too far", "no such kind", "a server", "no port"],
)
def test_a_tf_config_without_a_place_is_refused(
    monkeypatch: pytest.MonkeyPatch, given: str, why: str
) -> None:
    monkeypatch.setenv("TF_CONFIG", given)
    with pytest.raises(BadInput, match=why):
        workers.strategy()


@pytest.mark.parametrize(
    ("given", "chief"),
    [
        (None, True),
        ('{"cluster": {"chief": ["a:1"], "worker": ["b:1"]}, "task": {"type": "chief"}}', True),
        ('{"cluster": {"chief": ["a:1"], "worker": ["b:1"]}, "task": {"type": "worker"}}', False),
        ('{"cluster": {"worker": ["a:1", "b:1"]}, "task": {"type": "worker"}}', True),
        ('{"cluster": {"worker": ["a:1", "b:1"]}, "task": {"index": 1}}', False),
    ],
    ids=["alone", "the chief", "a worker beside a chief", "the first worker", "the second"],
)
def test_who_writes(monkeypatch: pytest.MonkeyPatch, given: str | None, chief: bool) -> None:
    monkeypatch.delenv("TF_CONFIG", raising=False)
    if given:
        monkeypatch.setenv("TF_CONFIG", given)
    assert workers.is_chief() is chief
