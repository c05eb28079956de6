"""Versions come, go and break while requests are served."""

import shutil
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import pytest

from serving.client import Client
from serving.errors import NotAModel, ServingError
from serving.server.main import RunningServer, start
from serving.server.model import Model
from serving.server.settings import Retries
from serving.server.versions import open_base_path
from serving.server.wanted import Policy, WantedModel


@pytest.fixture
def running(base_path: Path) -> Iterator[RunningServer]:
    with start(base_path, port=0, rest_port=None, poll_seconds=0.05) as server:
        yield server


def tiny(path: Path, policy: Policy | None = None) -> Model:
    return Model(WantedModel("tiny", open_base_path(path), policy or Policy()))


def until(true: Callable[[], Any], seconds: float = 120) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not come to that"
        time.sleep(0.02)


def test_a_new_version_is_swapped_in_without_a_failed_request(
    running: RunningServer, exported: Path, base_path: Path
) -> None:
    answers: list[tuple[int, float]] = []
    stop = threading.Event()

    def ask(client: Client) -> None:
        while not stop.is_set():
            answers.append(round(client.predict(["a film"])[0]["score"], 4))

    with Client(running.target, name="tiny", retries=0) as client:
        old = round(client.predict(["a film"])[0]["score"], 4)
        askers = [threading.Thread(target=ask, args=(client,)) for _ in range(4)]
        for asker in askers:
            asker.start()
        shutil.copytree(exported / "2", base_path / "2")
        until(lambda: client.status().get(1) == "END")
        new = round(client.predict(["a film"])[0]["score"], 4)
        stop.set()
        for asker in askers:
            asker.join()
        assert client.status() == {2: "AVAILABLE", 1: "END"}
    assert old != new
    assert set(answers) == {old, new}


def test_a_broken_version_is_reported_and_the_good_one_stays(
    running: RunningServer, base_path: Path
) -> None:
    (base_path / "2").mkdir()
    (base_path / "2" / "saved_model.pb").write_bytes(b"no model")
    with Client(running.target, name="tiny") as client:
        until(lambda: client.status().get(2) == "END")
        assert client.status() == {2: "END", 1: "AVAILABLE"}
        assert client.predict(["a film"])[0]["label"] == "rotten"


def test_a_half_copied_version_waits_for_its_model(exported: Path, base_path: Path) -> None:
    model = tiny(base_path)
    model.refresh()

    def look_twice() -> None:  # a version is loaded once its files stay as they are
        model.refresh()
        assert model.versions == [1]
        model.refresh()

    shutil.copytree(exported / "2" / "variables", base_path / "2" / "variables")
    look_twice()
    assert (model.versions, 2 in model.states) == ([1], False)
    shutil.copy(exported / "2" / "saved_model.pb", base_path / "2")
    look_twice()  # the vocabulary is missing: it fails, and is tried again when that comes
    assert (model.versions, model.states[2].state) == ([1], "END")
    shutil.copytree(exported / "2" / "assets", base_path / "2" / "assets")
    look_twice()
    assert (model.versions, model.states[2].state) == ([2], "AVAILABLE")
    model.close()


def test_taking_the_new_version_away_brings_the_old_one_back(
    exported: Path, base_path: Path
) -> None:
    shutil.copytree(exported / "2", base_path / "2")
    model = tiny(base_path)
    model.refresh()
    assert model.versions == [2]
    shutil.rmtree(base_path / "2")
    model.refresh()
    assert model.versions == [1]
    shutil.rmtree(base_path / "1")
    model.refresh()
    assert model.versions == [1]
    model.close()


def test_a_version_in_use_is_freed_only_after_use(exported: Path, base_path: Path) -> None:
    model = tiny(base_path)
    model.refresh()
    with model.lease() as servable:
        shutil.copytree(exported / "2", base_path / "2")
        model.refresh()
        model.refresh()
        assert (model.versions, model.states[1].state) == ([2], "UNLOADING")
        text = {"text": np.array([b"a"], dtype=object)}
        assert servable.run("serving_default", text, ["label"])["label"].tolist() == [b"rotten"]
    until(lambda: model.states[1].state == "END")
    model.close()


def test_a_pinned_version_stays(exported: Path, base_path: Path) -> None:
    shutil.copytree(exported / "2", base_path / "2")
    model = tiny(base_path / "1")
    model.refresh()
    model.refresh()
    assert model.versions == [1]
    model.close()
    with pytest.raises(ServingError, match="not found"), model.lease():
        pass


@pytest.mark.parametrize(
    ("policy", "served"),
    [
        (Policy(), [2]),
        (Policy(latest=2), [2, 1]),
        (Policy(everything=True), [2, 1]),
        (Policy(specific=(1,)), [1]),
        (Policy(specific=(1, 7)), [1]),
    ],
    ids=["newest", "two newest", "all", "one by number", "one that is missing"],
)
def test_policies(exported: Path, base_path: Path, policy: Policy, served: list[int]) -> None:
    shutil.move(base_path / "1", base_path / "00000001")
    shutil.copytree(exported / "2", base_path / "2")
    model = tiny(base_path, policy)
    model.refresh()
    assert model.versions == served
    for version in served:
        with model.lease(version) as servable:
            assert servable.version == version
    model.close()


def test_a_broken_version_is_tried_again_as_often_as_told(base_path: Path) -> None:
    (base_path / "1" / "saved_model.pb").write_bytes(b"no model")
    wanted = WantedModel("tiny", open_base_path(base_path))
    tries = []
    for retries in (Retries(0, 0.0), Retries(2, 0.0), Retries(2, 3600.0)):
        model = Model(wanted, retries=retries)
        with mock.patch.object(Model, "_load", side_effect=OSError("no")) as load:
            for _ in range(5):
                model.refresh()
        tries.append(load.call_count)
    assert tries == [1, 3, 1]


def test_nothing_that_loads_is_no_server(tmp_path: Path) -> None:
    (tmp_path / "m" / "1").mkdir(parents=True)
    (tmp_path / "m" / "1" / "saved_model.pb").write_bytes(b"no model")
    with pytest.raises(NotAModel, match="version: 1 cannot be loaded"):
        start(tmp_path / "m", port=0, rest_port=0)


def test_warm_up_requests_that_fail_break_the_version(base_path: Path) -> None:
    file = base_path / "1" / "assets.extra" / "tf_serving_warmup_requests"
    file.write_bytes(file.read_bytes().replace(b"serving_default", b"serving_defauXt"))
    with pytest.raises(NotAModel, match="TFRecord of PredictionLog"):
        start(base_path, port=0, rest_port=0)
