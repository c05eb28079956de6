"""`rawbert compile`: specs that kfp and Vertex's client load, that hold no path of this machine."""

import json
import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipeline.cli.main import main

pytest.importorskip("kfp.pipeline_spec", reason="compile needs Kubeflow's pipeline spec (stack A)")

Command = Callable[..., int]
KUBEFLOW = ("--runner", "kubeflow", "--image", "registry/rawbert:1")
VERTEX = ("--runner", "vertex", "--image", "registry/rawbert:1", "--pipeline-root", "gs://b/runs")
SERVICES = (
    *("--project", "p", "--region", "europe-west4", "--train-on", "n1-standard-8"),
    *("--endpoint", "tiny", "--serving-image", "registry/tiny:1"),
)


@pytest.fixture(scope="module")
def project(tiny_project: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("compiled")
    tiny_project(folder, rows=60)
    return folder


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, project: Path) -> Command:
    """command(argument, …) -> exit code of `rawbert compile` in the project's folder."""
    monkeypatch.chdir(project)

    def give(*arguments: str) -> int:
        monkeypatch.setattr(sys, "argv", ["rawbert", "compile", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        return int(ended.value.code or 0)

    return give


@pytest.fixture
def compiled(command: Command, capfd: pytest.CaptureFixture) -> Callable[..., Any]:
    """compiled(argument, …) -> the spec, read from the file that was written."""

    def give(*arguments: str, file: str = "tiny.yaml") -> Any:
        assert command("recipe.yaml", *arguments) == 0, capfd.readouterr().err
        return yaml.safe_load(Path(file).read_text())

    return give


def container(spec: Any, task: str) -> Any:
    return spec["deploymentSpec"]["executors"][f"{task}_executor"]["container"]


def constant(spec: Any, task: str, name: str) -> Any:
    inputs = spec["root"]["dag"]["tasks"][task]["inputs"]["parameters"]
    return json.loads(inputs[name]["runtimeValue"]["constant"])


def strings_of(value: Any) -> list[str]:
    """Every key and value of a document."""
    if isinstance(value, dict):
        return [found for item in value.items() for one in item for found in strings_of(one)]
    if isinstance(value, list):
        return [found for one in value for found in strings_of(one)]
    return [str(value)]


RUNNERS = pytest.mark.parametrize(
    "arguments",
    [KUBEFLOW, VERTEX, (*VERTEX, *SERVICES)],
    ids=["kubeflow", "vertex", "vertex, its trainer and endpoint"],
)


@RUNNERS
def test_kfp_loads_it_and_compiles_it_again(compiled: Any, arguments: tuple[str, ...]) -> None:
    components = pytest.importorskip("kfp.components", reason="kfp itself is on stack A alone")
    from kfp import compiler

    spec = compiled(*arguments, "--map", ".=/project")
    loaded = components.load_component_from_file("tiny.yaml")
    assert loaded.name == "tiny"
    compiler.Compiler().compile(loaded, "again.yaml")
    assert yaml.safe_load(Path("again.yaml").read_text())["root"]["dag"] == spec["root"]["dag"]


@RUNNERS
def test_it_holds_no_local_path(compiled: Any, project: Path, arguments: tuple[str, ...]) -> None:
    spec = compiled(*arguments, "--map", ".=/project")
    here = {str(project), os.getcwd(), str(Path.home()), tempfile.gettempdir(), sys.prefix}
    here.add(str(Path(__file__).parents[2]))
    said = strings_of(spec)
    assert not [(place, one) for place in here for one in said if place in one]


def test_every_input_comes_from_a_task_that_has_it(compiled: Any) -> None:
    spec = compiled(*KUBEFLOW, "--map", ".=/project")
    tasks = spec["root"]["dag"]["tasks"]
    for name, task in tasks.items():
        component = spec["components"][task["componentRef"]["name"]]
        declared = component.get("inputDefinitions", {})
        for key, source in task.get("inputs", {}).get("artifacts", {}).items():
            made = source["taskOutputArtifact"]
            producer = spec["components"][made["producerTask"]]["outputDefinitions"]["artifacts"]
            wanted = declared["artifacts"][key]["artifactType"]
            assert producer[made["outputArtifactKey"]]["artifactType"] == wanted
            assert made["producerTask"] in task["dependentTasks"]
        assert set(task.get("inputs", {}).get("parameters", {})) == set(
            declared.get("parameters", {})
        ), name


def test_kubeflow_gets_containers_alone(compiled: Any) -> None:
    spec = compiled(*KUBEFLOW, "--map", ".=/project")
    executors = spec["deploymentSpec"]["executors"]
    assert all(set(executor) == {"container"} for executor in executors.values())
    assert all(one["container"]["image"] == "registry/rawbert:1" for one in executors.values())


def test_parameters_have_the_recipes_values(compiled: Any) -> None:
    spec = compiled(*KUBEFLOW, "--map", ".=/project", "--pipeline-root", "gs://b/runs")
    declared = spec["root"]["inputDefinitions"]["parameters"]
    found = {name: one.get("defaultValue") for name, one in declared.items()}
    destination = json.loads(found.pop("push_destination"))
    assert destination == {"filesystem": {"base_directory": "gs://b/runs/serving/tiny"}}
    assert len(found.pop("data_version")) == 32
    assert found == {"data_path": "/project/data/*.csv", "epochs": 3}
    assert spec["defaultPipelineRoot"] == "gs://b/runs"


def test_a_destination_that_nobody_gave_has_to_be_given_to_the_run(compiled: Any) -> None:
    spec = compiled(*KUBEFLOW, "--map", ".=/project")
    assert "defaultValue" not in spec["root"]["inputDefinitions"]["parameters"]["push_destination"]


def test_resources(compiled: Any) -> None:
    asked = ("--cpu", "1", "--cpu", "Trainer=8", "--memory", "Trainer=16Gi")
    spec = compiled(*KUBEFLOW, "--map", ".=/project", *asked, "--accelerator", "nvidia.com/gpu:2")
    assert container(spec, "Transform")["resources"] == {"cpuLimit": 1.0}
    assert container(spec, "Trainer")["resources"] == {
        "cpuLimit": 8.0,
        "memoryLimit": pytest.approx(17.179869184),
        "accelerator": {"type": "nvidia.com/gpu", "count": "2"},
    }


@pytest.mark.parametrize(("flag", "cached"), [("--cache", True), ("--no-cache", False)])
def test_caching(compiled: Any, flag: str, cached: bool) -> None:
    tasks = compiled(*KUBEFLOW, "--map", ".=/project", flag)["root"]["dag"]["tasks"]
    enabled = {name for name, task in tasks.items() if task.get("cachingOptions")}
    assert enabled == (set(tasks) - {"LatestPushed"} if cached else set())


def test_beam_arguments_reach_every_beam_component(compiled: Any) -> None:
    spec = compiled(*KUBEFLOW, "--map", ".=/project", "--beam-arg", "--runner=DataflowRunner")
    for task in ("TextExampleGen", "StatisticsGen", "Transform", "Evaluator"):
        assert "--runner=DataflowRunner" in container(spec, task)["args"], task


def test_splits_a_source_and_json(compiled: Any) -> None:
    spec = compiled(
        *KUBEFLOW, "--map", "vocab.txt=gs://b/vocab.txt", "--map", "data=/data",
        "--set", "data.path={train: data/*.csv, test: data/reviews.csv}",
        "--output", "out.json", file="out.json",
    )  # fmt: skip
    declared = spec["root"]["inputDefinitions"]["parameters"]
    splits = {"train": "/data/*.csv", "test": "/data/reviews.csv"}
    assert json.loads(declared["data_path"]["defaultValue"]) == splits
    assert constant(spec, "EncoderImporter", "source")["vocab"] == "gs://b/vocab.txt"


def test_a_tagger(
    command: Command, tiny_tagger_project: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tiny_tagger_project(tmp_path, rows=60)
    monkeypatch.chdir(tmp_path)
    assert command("recipe.yaml", *KUBEFLOW, "--map", ".=/project") == 0
    spec = yaml.safe_load(Path("tiny.yaml").read_text())
    assert constant(spec, "TextExampleGen", "data")["tags"]["scheme"] == "iob2"
    assert constant(spec, "Trainer", "custom_config")["head"] == "crf"


def test_vertex_trains_and_serves_with_its_own_services(compiled: Any) -> None:
    machines = ("--train-workers", "4", "--accelerator", "NVIDIA_TESLA_T4")
    spec = compiled(*VERTEX, *SERVICES, "--map", ".=/project", *machines)
    job = constant(spec, "Trainer", "custom_config")["ai_platform_training_args"]
    pool, others = job["worker_pool_specs"]
    assert (pool["replica_count"], others) == (1, {**pool, "replica_count": 3})
    assert job["scheduling"] == {"restart_job_on_worker_restart": True}
    assert pool["container_spec"] == {"image_uri": "registry/rawbert:1"}
    assert pool["machine_spec"] == {
        "machine_type": "n1-standard-8",
        "accelerator_type": "NVIDIA_TESLA_T4",
        "accelerator_count": 1,
    }
    pushed = constant(spec, "Pusher", "custom_config")
    assert pushed["ai_platform_serving_args"]["endpoint_name"] == "tiny"
    assert pushed["ai_platform_vertex_container_image_uri"] == "registry/tiny:1"
    assert {"data_path", "data_version", "epochs"} == set(
        spec["root"]["inputDefinitions"]["parameters"]
    )


def test_vertex_own_client_takes_it(compiled: Any) -> None:
    from google.auth.credentials import AnonymousCredentials
    from google.cloud import aiplatform

    compiled(*VERTEX, "--map", ".=/project")
    job = aiplatform.PipelineJob(
        "tiny", "tiny.yaml", project="p", location="europe-west4", enable_caching=False,
        parameter_values={"epochs": 5}, credentials=AnonymousCredentials(),
    )  # fmt: skip
    config = job.to_dict()["runtimeConfig"]
    assert config["gcsOutputDirectory"] == "gs://b/runs"
    assert config["parameterValues"]["epochs"] == 5
