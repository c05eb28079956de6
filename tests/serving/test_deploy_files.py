"""Each written file against the published schema or the parser of what will read it."""

import json
from pathlib import Path
from typing import Any

import hand_made_model
import kubernetes_validate
import pytest
import yaml
from check_jsonschema.builtin_schemas import get_builtin_schema
from dockerfile_parse import DockerfileParser
from google.protobuf import text_format
from jsonschema import Draft202012Validator
from tensorflow_serving.config import model_server_config_pb2

from serving import text_protos
from serving.deploy import configs, deployment, folder, kubernetes

MIB = 1 << 20
SHAPES = {"classifier": hand_made_model.CLASSIFIER, "tagger": hand_made_model.TAGGER}
MANIFESTS = ["configmap", "deployment", "service", "horizontalpodautoscaler"]
MANIFESTS += ["poddisruptionbudget"]


@pytest.fixture(params=SHAPES)
def written(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """The folder of a deployment of version 7 of My_Model."""
    hand_made_model.write(tmp_path / "My_Model" / "7", SHAPES[request.param])
    folder.write(deployment.plan(tmp_path / "My_Model", "2.12"), tmp_path / "to")
    return tmp_path / "to"


def manifests(written: Path) -> dict[str, Any]:
    """By kind; of the two Services the first."""
    found: dict[str, Any] = {}
    for file in sorted((written / "kubernetes").iterdir()):
        for manifest in yaml.safe_load_all(file.read_text()):
            found.setdefault(manifest["kind"], manifest)
    return found


@pytest.mark.parametrize("release", ["1.25", "1.30", "1.34"])
@pytest.mark.parametrize("name", MANIFESTS)
def test_manifests_fit_kubernetes_schemas(name: str, release: str, written: Path) -> None:
    for manifest in yaml.safe_load_all((written / "kubernetes" / f"{name}.yaml").read_text()):
        kubernetes_validate.validate(manifest, release, strict=True)
        assert "namespace" not in manifest["metadata"]


def test_the_schema_refuses_what_is_wrong(written: Path) -> None:
    manifest = manifests(written)["Deployment"]
    manifest["spec"]["template"]["spec"]["containers"][0]["probe"] = {}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(manifest, "1.30", strict=True)


def test_manifests_speak_of_the_same_things(written: Path) -> None:
    found = manifests(written)
    pod = found["Deployment"]["spec"]["template"]
    [container] = pod["spec"]["containers"]
    ports = {port["name"] for port in container["ports"]}
    labels = pod["metadata"]["labels"].items()
    assert found["Deployment"]["spec"]["selector"]["matchLabels"].items() <= labels
    assert found["PodDisruptionBudget"]["spec"]["selector"]["matchLabels"].items() <= labels
    assert found["Service"]["spec"]["selector"].items() <= labels
    assert {port["targetPort"] for port in found["Service"]["spec"]["ports"]} == ports
    target = found["HorizontalPodAutoscaler"]["spec"]["scaleTargetRef"]["name"]
    assert target == found["Deployment"]["metadata"]["name"] == "my-model"
    assert "replicas" not in found["Deployment"]["spec"]
    for file, text in found["ConfigMap"]["data"].items():
        assert (written / file).read_text() == text
        assert any(argument.endswith(f"/config/{file}") for argument in container["args"])


def test_no_request_is_lost_when_replicas_change(written: Path) -> None:
    spec = manifests(written)["Deployment"]["spec"]
    pod = spec["template"]["spec"]
    [container] = pod["containers"]
    [channel] = [one for one in container["args"] if one.startswith("--grpc_channel_arguments=")]
    ages = dict(part.split("=") for part in channel.partition("=")[2].split(","))
    drained = 1000 * int(container["lifecycle"]["preStop"]["exec"]["command"][1])
    assert spec["strategy"]["rollingUpdate"]["maxUnavailable"] == 0
    # gRPC lets connections live up to a tenth longer than it is told.
    assert 1.1 * sum(map(int, ages.values())) < drained
    assert drained < 1000 * pod["terminationGracePeriodSeconds"]
    assert pod["shareProcessNamespace"] is True


def test_compose_fits_its_schema(written: Path) -> None:
    schema = get_builtin_schema("vendor.compose-spec")
    document = yaml.safe_load((written / "compose.yaml").read_text())
    Draft202012Validator(schema).validate(document)
    built, live = document["services"].values()
    assert all(port.startswith("127.0.0.1:") for port in built["ports"])
    assert live["profiles"] == ["live"]
    for volume in live["volumes"]:
        assert (written / volume["source"]).exists()
    built["healthcheck"]["every"] = "10s"
    assert not Draft202012Validator(schema).is_valid(document)


def test_dockerfile(written: Path) -> None:
    parsed = DockerfileParser(str(written))
    found = [(line["instruction"], line["value"]) for line in parsed.structure]
    assert parsed.baseimage == "tensorflow/serving:2.12.1"
    assert ("USER", "10001:10001") in found
    assert ("EXPOSE", "8500 8501") in found
    copied = [json.loads(value) for name, value in found if name == "COPY"]
    for *sources, _ in copied:
        assert all((written / source).exists() for source in sources)
    assert copied[1] == ["models/My_Model/7/", "/models/My_Model/7/"]
    values = dict(found)
    assert json.loads(values["ENTRYPOINT"]) == [deployment.PROGRAM]
    assert "--model_config_file=/config/models.config" in json.loads(values["CMD"])
    ignored = (written / ".dockerignore").read_text().splitlines()
    assert ignored == ["*", "!models.config", "!batching.config", "!monitoring.config",
                       "!models/My_Model/7"]  # fmt: skip


def test_config_files_are_the_servers_protos(written: Path) -> None:
    models = text_format.Parse(
        (written / "models.config").read_text(), model_server_config_pb2.ModelServerConfig()
    )
    [model] = models.model_config_list.config
    assert (model.name, model.base_path) == ("My_Model", "/models/My_Model")
    assert model.model_platform == "tensorflow"
    monitoring = text_protos.read(written / "monitoring.config", text_protos.MonitoringConfig())
    annotations = manifests(written)["Deployment"]["spec"]["template"]["metadata"]["annotations"]
    assert monitoring.prometheus_config.enable
    assert monitoring.prometheus_config.path == annotations["prometheus.io/path"]
    text_protos.read(written / "batching.config", text_protos.BatchingParameters())


@pytest.mark.parametrize(
    ("size", "asked", "most", "seconds"),
    [(0, 512, 1024, 120), (10 * MIB, 576, 1088, 130), (90 * MIB, 704, 1408, 210)],
    ids=["nothing", "tiny", "MiniLM"],
)
def test_resources_follow_from_the_models_size(
    size: int, asked: int, most: int, seconds: int, tmp_path: Path
) -> None:
    hand_made_model.write(tmp_path / "m" / "1", size=size)
    planned = deployment.plan(tmp_path / "m", "2.12")
    container = kubernetes.workload(planned)["spec"]["template"]["spec"]["containers"][0]
    assert container["resources"]["requests"]["memory"] == f"{asked + 64 * (size == 0)}Mi"
    assert container["resources"]["limits"]["memory"] == f"{most + 64 * (size == 0)}Mi"
    started = container["startupProbe"]
    assert started["failureThreshold"] * started["periodSeconds"] == seconds + 5


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("reviews", "reviews"),
        ("My_Model.v2", "my-model-v2"),
        ("2024_reviews", "model-2024-reviews"),
        ("x" * 80, "x" * 52),
    ],
    ids=["plain", "no DNS name", "begins with a digit", "long"],
)
def test_names_in_a_cluster(name: str, label: str, tmp_path: Path) -> None:
    hand_made_model.write(tmp_path / "m" / "1")
    planned = deployment.plan(tmp_path / "m", "2.12", name)
    assert kubernetes.service(planned)["metadata"]["name"] == label
    assert f'name: "{name}"' in configs.models(planned.name)
