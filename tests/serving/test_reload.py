"""Several models, labels and changes of the config while the server runs."""

import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from tensorflow_serving.apis import model_management_pb2, model_pb2

from serving.client import Client
from serving.errors import BadConfig
from serving.protos import model_server_config_pb2, model_service_pb2_grpc
from serving.server.from_flags import read_models
from serving.server.main import RunningServer, serve
from serving.server.settings import Settings


@pytest.fixture
def folders(exported: Path, tmp_path: Path) -> dict[str, Path]:
    """Base paths of two models: `one` has versions 1 and 2, `two` version 2 alone."""
    shutil.copytree(exported, tmp_path / "one")
    shutil.copytree(exported / "2", tmp_path / "two" / "2")
    return {"one": tmp_path / "one", "two": tmp_path / "two"}


@pytest.fixture
def config_file(folders: dict[str, Path], tmp_path: Path) -> Path:
    file = tmp_path / "models.config"
    file.write_text(config(folders, one="all {}"))
    return file


@pytest.fixture
def server(config_file: Path) -> Iterator[RunningServer]:
    settings = Settings(
        tuple(read_models(config_file)),
        port=0,
        rest_port=0,
        poll_seconds=0.05,
        config_file=config_file,
        config_poll_seconds=0.05,
    )
    with serve(settings) as running:
        yield running


def config(folders: dict[str, Path], labels: str = "", **policies: str) -> str:
    """A config of the models named, with their policies."""
    models = "".join(
        f'config {{ name: "{name}" base_path: "{folders[name]}" model_platform: "tensorflow" '
        f"model_version_policy {{ {policy} }} {labels} }}\n"
        for name, policy in policies.items()
    )
    return f"model_config_list {{\n{models}}}\n"


def label(name: str, version: int) -> str:
    return f'version_labels {{ key: "{name}" value: {version} }}'


def reload(server: RunningServer, file: Path) -> None:
    """HandleReloadConfigRequest over the raw stub."""
    from google.protobuf import text_format

    request = model_management_pb2.ReloadConfigRequest()
    text_format.Parse(file.read_text(), request.config)
    with grpc.insecure_channel(server.target) as channel:
        stub = model_service_pb2_grpc.ModelServiceStub(channel)
        response = stub.HandleReloadConfigRequest(request, timeout=60)
    assert response.status.error_code == 0


def states(server: RunningServer, name: str) -> dict[int, str]:
    with Client(server.target, name=name) as client:
        return client.status()


def until(true: Callable[[], Any]) -> None:
    end = time.monotonic() + 60
    while not true():
        assert time.monotonic() < end, "it did not come to that"
        time.sleep(0.02)


def test_models_come_and_go_by_request(
    server: RunningServer, folders: dict[str, Path], tmp_path: Path
) -> None:
    file = tmp_path / "asked.config"
    file.write_text(config(folders, one="latest {}", two="latest {}"))
    reload(server, file)
    assert states(server, "two") == {2: "AVAILABLE"}
    until(lambda: states(server, "one") == {2: "AVAILABLE", 1: "END"})
    file.write_text(config(folders, two="latest {}"))
    reload(server, file)
    assert server.models.names == ["two"]
    with Client(server.target, name="one") as client, pytest.raises(Exception, match="not found"):
        client.predict(["a film"])


def test_models_come_by_the_file(
    server: RunningServer, folders: dict[str, Path], config_file: Path
) -> None:
    config_file.write_text("model_config_list { config { nome: 3 } }")
    time.sleep(0.2)  # a file with a mistake changes nothing
    assert states(server, "one") == {2: "AVAILABLE", 1: "AVAILABLE"}
    config_file.write_text(config(folders, one="all {}", two="latest {}"))
    until(lambda: server.models.names == ["one", "two"])
    until(lambda: states(server, "two") == {2: "AVAILABLE"})


def test_labels_over_both_protocols(
    server: RunningServer,
    folders: dict[str, Path],
    tmp_path: Path,
    rest_of: Callable[[RunningServer], Callable[..., Any]],
) -> None:
    file = tmp_path / "asked.config"
    file.write_text(config(folders, label("stable", 1) + label("canary", 2), one="all {}"))
    reload(server, file)
    ask = rest_of(server)
    body = {"instances": ["a film"]}
    for name, version in (("stable", 1), ("canary", 2)):
        assert ask(f"/v1/models/one/labels/{name}:predict", body) == ask(
            f"/v1/models/one/versions/{version}:predict", body
        )
        spec = model_pb2.ModelSpec(name="one", version_label=name)
        with server.models.servable(spec) as servable:
            assert servable.version == version
    status, said = ask("/v1/models/one/labels/nobody:predict", body)
    assert (status, said["error"]) == (400, "Unrecognized servable version label: nobody")


@pytest.mark.parametrize(
    ("text", "code", "says"),
    [
        (label("next", 9), "FAILED_PRECONDITION", "label to version 9 of model one, which is not"),
        ("model_type: TENSORFLOW", "INVALID_ARGUMENT", "Illegal setting both"),
    ],
    ids=["a label of no version", "two platforms"],
)
def test_a_refused_reload_changes_nothing(
    server: RunningServer,
    folders: dict[str, Path],
    tmp_path: Path,
    text: str,
    code: str,
    says: str,
) -> None:
    file = tmp_path / "asked.config"
    file.write_text(config(folders, text, one="latest {}"))
    with pytest.raises(grpc.RpcError) as error:
        reload(server, file)
    assert (error.value.code().name, says in error.value.details()) == (code, True)
    assert states(server, "one") == {2: "AVAILABLE", 1: "AVAILABLE"}


def test_a_model_that_is_not_there_is_told(
    server: RunningServer, folders: dict[str, Path], tmp_path: Path
) -> None:
    file = tmp_path / "asked.config"
    file.write_text(config({**folders, "three": tmp_path / "three"}, one="all {}", three=""))
    with pytest.raises(grpc.RpcError) as error:
        reload(server, file)
    assert error.value.details().startswith("Some models did not become available: {{name: three")
    assert states(server, "one") == {2: "AVAILABLE", 1: "AVAILABLE"}


def test_an_empty_reload_is_refused(server: RunningServer) -> None:
    request = model_management_pb2.ReloadConfigRequest(
        config=model_server_config_pb2.ModelServerConfig()
    )
    with grpc.insecure_channel(server.target) as channel:
        stub = model_service_pb2_grpc.ModelServiceStub(channel)
        with pytest.raises(grpc.RpcError, match="Only ModelConfigList is currently supported"):
            stub.HandleReloadConfigRequest(request, timeout=60)


@pytest.mark.parametrize("allowed", [False, True], ids=["refused", "allowed"])
def test_labels_at_the_start(folders: dict[str, Path], tmp_path: Path, allowed: bool) -> None:
    file = tmp_path / "models.config"
    file.write_text(config(folders, label("stable", 1), one="all {}"))
    models = tuple(read_models(file))
    settings = Settings(models, port=0, rest_port=None, unavailable_labels=allowed)
    if allowed:
        with serve(settings) as running:
            spec = model_pb2.ModelSpec(name="one", version_label="stable")
            with running.models.servable(spec) as servable:
                assert servable.version == 1
        return
    with pytest.raises(BadConfig, match="--allow_version_labels_for_unavailable_models"):
        serve(settings)
