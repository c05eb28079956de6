"""What components do only where a pipeline was compiled: epochs and baseline of a run."""

import json
from pathlib import Path
from typing import Any

import pytest
from tfx.types import standard_artifacts

from components import latest_pushed
from components.evaluator import _has_model
from components.text_example_gen_executor import _located
from components.trainer import with_epochs
from trainer.errors import BadInput


@pytest.mark.parametrize(("given", "epochs"), [({}, 2), ({"epochs": 5}, 5), ({"epochs": 5.0}, 5)])
def test_the_runs_epochs_go_before_the_recipes(given: dict[str, Any], epochs: int) -> None:
    config = {"text": "text", "train": {"epochs": 2, "seed": 1}}
    properties = with_epochs({"run_fn": "f", "custom_config": json.dumps(config), **given})
    assert set(properties) == {"run_fn", "custom_config"}
    told = json.loads(properties["custom_config"])
    assert told == {"text": "text", "train": {"epochs": epochs, "seed": 1}}


def test_no_epoch_is_refused() -> None:
    with pytest.raises(BadInput, match="epochs: 0 epochs"):
        with_epochs({"custom_config": "{}", "epochs": 0})


def test_the_runs_path_may_be_relative_and_may_be_splits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert _located("data/*.csv") == f"{tmp_path}/data/*.csv"
    assert _located('{"train": "a.csv"}') == {"train": f"{tmp_path}/a.csv"}


def latest(base: Path, uri: Path) -> standard_artifacts.Model:
    model = standard_artifacts.Model()
    model.uri = str(uri)
    destination = json.dumps({"filesystem": {"base_directory": str(base)}})
    executor = latest_pushed.Executor()
    executor.Do({}, {"model": [model]}, {"push_destination": destination})
    return model


def test_the_highest_whole_version_is_the_baseline(tmp_path: Path) -> None:
    for version, file in (("9", "saved_model.pb"), ("10", "saved_model.pb"), ("11", "half")):
        (tmp_path / "base" / version).mkdir(parents=True)
        (tmp_path / "base" / version / file).write_text(version)
    model = latest(tmp_path / "base", tmp_path / "model")
    assert (tmp_path / "model" / "Format-Serving" / "saved_model.pb").read_text() == "10"
    assert _has_model([model])


def test_before_the_first_push_there_is_no_baseline(tmp_path: Path) -> None:
    assert not _has_model([latest(tmp_path / "none", tmp_path / "model")])
    assert (tmp_path / "model").is_dir()


@pytest.mark.parametrize("said", ["gs://bucket/models", "{}", '{"filesystem": {}}'])
def test_what_is_no_destination_is_refused_early(said: str) -> None:
    with pytest.raises(BadInput, match=r'push_destination: .*Give JSON: \{"filesystem"'):
        latest_pushed.base_directory(said)
