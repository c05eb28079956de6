"""`rawbert compile` refused: one line, before TFX is loaded."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.cli.main import main
from pipeline.runners.places import Places
from pipeline.runners.resources import Resources, parse
from trainer.errors import BadInput

Command = Callable[..., int]
IMAGE = ("--image", "registry/rawbert:1")
KUBEFLOW = ("--runner", "kubeflow", *IMAGE)
VERTEX = ("--runner", "vertex", *IMAGE, "--pipeline-root", "gs://b/runs")


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, tiny_project) -> Command:
    """command(argument, …) -> exit code of `rawbert compile recipe.yaml`, in a tiny project."""
    tiny_project(tmp_path, rows=40)
    monkeypatch.chdir(tmp_path)

    def give(*arguments: str) -> int:
        monkeypatch.setattr(sys, "argv", ["rawbert", "compile", "recipe.yaml", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        return int(ended.value.code or 0)

    return give


MISTAKES = {
    "no runner": (IMAGE, "--runner"),
    "no image": (("--runner", "kubeflow"), "--image: the steps have no image. Write --image REG"),
    "another runner": (("--runner", "argo", *IMAGE), "argo"),
    "vertex without a bucket": (("--runner", "vertex", *IMAGE), "--pipeline-root: no bucket"),
    "a job without a project": (
        (*VERTEX, "--train-on", "n1-standard-8"), "--train-on: it needs --project"
    ),
    "workers without a job": (
        (*VERTEX, "--train-workers", "4"), "--train-workers: it needs --train-on"
    ),
    "an endpoint without an image": (
        (*VERTEX, "--endpoint", "e", "--project", "p", "--region", "r"),
        "--endpoint: it needs --serving-image",
    ),
    "a serving machine without an endpoint": (
        (*VERTEX, "--serve-on", "n1-standard-8"), "--serve-on: it needs --endpoint"
    ),
    "two destinations": (
        (*VERTEX, "--endpoint", "e", "--project", "p", "--region", "r", "--serving-image", "i",
         "--push-to", "gs://b/models"), "--endpoint: it excludes --push-to"
    ),
    "vertex's option": ((*KUBEFLOW, "--project", "p"), "--project: it is for --runner vertex"),
    "a root on this machine": (
        (*KUBEFLOW, "--pipeline-root", "/runs"), "--pipeline-root: /runs is no URL"
    ),
    "a destination on this machine": ((*KUBEFLOW, "--push-to", "out"), "--push-to: no step could"),
    "a file that kfp does not read": ((*KUBEFLOW, "--output", "a.txt"), "--output: kfp would not"),
    "data on this machine": (KUBEFLOW, "recipe.yaml:3: data.path: `data/*.csv` is on this"),
    "a vocabulary on this machine": (
        (*KUBEFLOW, "--map", "data=/data"), "recipe.yaml:4: encoder.vocab: `vocab.txt` is on this"
    ),
    "a schema on this machine": (
        (*KUBEFLOW, "--map", "data=/data", "--map", "vocab.txt=/v", "--set",
         "data.schema=recipe.yaml"), "--set data.schema=recipe.yaml: `recipe.yaml` is on"
    ),
    "a map to nowhere": ((*KUBEFLOW, "--map", "data"), "--map data: no pair"),
    "a map to a relative path": ((*KUBEFLOW, "--map", "data=data"), "--map data=data: no pair"),
    "no number of cores": ((*KUBEFLOW, "--cpu", "Trainer=many"), "--cpu Trainer=many"),
    "no unit of memory": ((*KUBEFLOW, "--memory", "4 GB"), "--memory 4 GB"),
    "no count": ((*KUBEFLOW, "--accelerator", "gpu:0"), "--accelerator gpu:0"),
    "a mistake in the recipe": ((*KUBEFLOW, "--set", "train.epoch=1"), "epochs"),
}  # fmt: skip


@pytest.mark.parametrize(("arguments", "words"), MISTAKES.values(), ids=MISTAKES.keys())
def test_mistakes_exit_2(
    command: Command, capfd: pytest.CaptureFixture, arguments: tuple[str, ...], words: str
) -> None:
    loaded = "tfx" in sys.modules
    assert command(*arguments) == 2
    said = capfd.readouterr().err
    assert words in said
    assert "Error: " in said
    assert loaded or "tfx" not in sys.modules
    assert not Path("tiny.yaml").exists()


def test_without_the_compiler_one_line_exits_1(
    command: Command, capfd: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "kfp", None)
    monkeypatch.delitem(sys.modules, "kfp.pipeline_spec", raising=False)
    assert command(*KUBEFLOW) == 1
    said = capfd.readouterr().err
    assert "pip install 'rawbert[kubeflow]'" in said
    assert said.count("\n") == 1


@pytest.mark.parametrize(
    ("path", "there"),
    [
        ("data/a.csv", "/in/a.csv"),
        ("./data/*.csv", "/in/*.csv"),
        ("data", "/in"),
        ("data/deep/a.csv", "gs://b/d/a.csv"),
        ("../elsewhere/a.csv", "/else/a.csv"),
        ("data2/a.csv", None),
    ],
    ids=["a file", "a pattern", "the folder", "the longest wins", "above", "a longer name"],
)
def test_places(monkeypatch, tmp_path: Path, path: str, there: str | None) -> None:
    (tmp_path / "project").mkdir()
    monkeypatch.chdir(tmp_path / "project")
    places = Places(["data=/in/", "data/deep=gs://b/d", "../elsewhere=/else"])
    assert places.find(path) == there


@pytest.mark.parametrize(
    ("amount", "gigabytes"),
    [
        ("4G", 4),
        ("4Gi", 4.294967296),
        ("512M", 0.512),
        ("1024Ki", 0.001048576),
        ("8e9", 8),
        ("4GB", None),
    ],
)
def test_memory_as_kubernetes_writes_it(amount: str, gigabytes: float | None) -> None:
    if gigabytes is None:
        with pytest.raises(BadInput, match="no amount"):
            parse([], [amount], None)
    else:
        assert parse([], [amount], None)[""].memory == pytest.approx(gigabytes)


def test_an_accelerator_alone_leaves_the_trainers_cores_as_everyones() -> None:
    assert parse(["2"], [], "gpu")["Trainer"] == Resources(2.0, None, "gpu", 1)
