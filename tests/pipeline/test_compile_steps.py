"""A compiled pipeline's steps run, from the spec file alone, until the same model is pushed."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from kfp_driver import Artifacts, Cluster
from pipeline_image import SOURCE, environment
from runs import Project, rawbert

pytest.importorskip("kfp.pipeline_spec", reason="compile needs Kubeflow's pipeline spec (stack A)")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(3000),  # a dozen processes, each imports TFX
    pytest.mark.skipif(
        "RAWBERT_COMPILED_STEPS" not in os.environ,
        reason="takes five minutes and more: RAWBERT_COMPILED_STEPS=1 runs it",
    ),
]


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The variables of a process in the image."""
    return environment(tmp_path_factory.mktemp("image"))


@pytest.fixture(scope="module")
def volume(tiny_project: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shared project's files, once more, where the steps find them."""
    folder = tmp_path_factory.mktemp("volume")
    tiny_project(folder)
    return folder


@pytest.fixture(scope="module")
def spec_file(volume: Path) -> Path:
    """The compiled recipe."""
    ran = rawbert(
        volume,
        *("compile", "recipe.yaml", "--runner", "kubeflow", "--image", "registry/rawbert:1"),
        *("--map", f".={volume}", "--set", "train.epochs=99"),
    )
    assert ran.code == 0, ran.said
    return volume / "tiny.yaml"


@pytest.fixture(scope="module")
def cluster(
    spec_file: Path, volume: Path, image: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Cluster:
    """After a run that sets parameters anew: the epochs of the local run, a destination."""
    place = tmp_path_factory.mktemp("cluster")
    (place / "cwd").mkdir()
    cluster = Cluster(place / "root", image, place / "cwd")
    cluster.run(spec_file, epochs=3, push_destination=destination(volume))
    return cluster


def test_the_image_has_the_package_and_not_the_checkout(
    image: dict[str, str], tmp_path: Path
) -> None:
    said = subprocess.run(
        ["python", "-c", "import sys, trainer; print(trainer.__file__, sys.path)"],
        cwd=tmp_path, env=image, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    assert "/installed/trainer/__init__.py" in said
    assert f"{SOURCE}'" not in said


def test_metrics_equal_the_local_runs(pushed: Project, cluster: Cluster) -> None:
    from components import evaluation_results

    there = evaluation_results.slices(folder(cluster.outputs["Evaluator"], "evaluation"))
    here = evaluation_results.slices(str(pushed.artifact("Evaluator", "evaluation")))
    assert there == here


def test_the_loss_of_each_epoch_equals_the_local_runs(pushed: Project, cluster: Cluster) -> None:
    there = Path(folder(cluster.outputs["Trainer"], "model_run"), "history.json")
    here = pushed.artifact("Trainer", "model_run") / "history.json"
    assert losses(there) == pytest.approx(losses(here), rel=1e-6)
    assert len(losses(there)) == 3


def test_the_model_is_pushed_where_the_run_said(cluster: Cluster, volume: Path) -> None:
    [version] = (volume / "models" / "tiny").iterdir()
    assert (version / "saved_model.pb").is_file()
    metadata = cluster.outputs["Pusher"]["pushed_model"]["metadata"]
    assert metadata["pushed_destination"] == str(version)


def test_the_next_model_is_compared_with_the_pushed_one(
    cluster: Cluster, spec_file: Path, volume: Path
) -> None:
    assert verdict(cluster) == "no blessed model yet"
    again = ("LatestPushed", "Evaluator")
    cluster.run(spec_file, only=again, epochs=3, push_destination=destination(volume))
    assert verdict(cluster).startswith("compared with model ")


def destination(volume: Path) -> str:
    return json.dumps({"filesystem": {"base_directory": str(volume / "models" / "tiny")}})


def verdict(cluster: Cluster) -> str:
    return cluster.outputs["Evaluator"]["blessing"]["metadata"]["baseline"]


def folder(artifacts: Artifacts, key: str) -> str:
    return artifacts[key]["uri"]


def losses(history: Path) -> list[float]:
    epochs: list[dict[str, Any]] = json.loads(history.read_text())
    return [epoch["loss"] for epoch in epochs]
