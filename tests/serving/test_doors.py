"""TLS, Unix sockets and Prometheus's page: the server's other doors, through real sockets."""

import os
import socket
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import grpc
import pytest
import trustme

from serving import tensors
from serving.protos import predict_pb2, prediction_service_pb2_grpc
from serving.server.flags import parse, parser
from serving.server.from_flags import settings_of
from serving.server.main import RunningServer, serve


def started(*flags: str | Path) -> RunningServer:
    """A server by its flags, on free ports."""
    line = [*map(str, flags), "--port=0", "--rest_api_port=0"]
    return serve(settings_of(parse(parser("serve"), line)[0]))


def ask(channel: grpc.Channel) -> list[bytes]:
    """Labels of one text, over the raw stub."""
    stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)
    request = predict_pb2.PredictRequest()
    request.model_spec.name = "tiny"
    request.inputs["text"].CopyFrom(tensors.to_proto(tensors.strings(["a good film"])))
    with channel:
        response = stub.Predict(request, timeout=20)
    return list(response.outputs["label"].string_val)


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def ssl_config(authority: trustme.CA, tmp_path: Path) -> Callable[[bool], Path]:
    """ssl_config(verify) -> an SSLConfig file for localhost."""

    def write(verify: bool) -> Path:
        pair = authority.issue_cert("localhost")
        key = pair.private_key_pem.bytes().decode()
        certificate = pair.cert_chain_pems[0].bytes().decode()
        parts = {"server_key": key, "server_cert": certificate}
        if verify:
            parts["custom_ca"] = authority.cert_pem.bytes().decode()
        text = "".join(f"{name}: {_quoted(value)}\n" for name, value in parts.items())
        file = tmp_path / "ssl.config"
        file.write_text(text + f"client_verify: {str(verify).lower()}\n")
        return file

    return write


def _quoted(text: str) -> str:
    return '"' + text.replace("\n", "\\n") + '"'


def test_tls(base_path: Path, ssl_config: Callable, authority: trustme.CA) -> None:
    roots = authority.cert_pem.bytes()
    with started(base_path, f"--ssl_config_file={ssl_config(False)}") as server:
        where = f"localhost:{server.port}"
        assert ask(grpc.secure_channel(where, grpc.ssl_channel_credentials(roots))) == [b"rotten"]
        with pytest.raises(grpc.RpcError, match="UNAVAILABLE"):
            ask(grpc.insecure_channel(where))


def test_client_certificates(base_path: Path, ssl_config: Callable, authority: trustme.CA) -> None:
    roots = authority.cert_pem.bytes()
    pair = authority.issue_cert("client")
    known = grpc.ssl_channel_credentials(
        roots, pair.private_key_pem.bytes(), pair.cert_chain_pems[0].bytes()
    )
    stranger = trustme.CA().issue_cert("client")
    unknown = grpc.ssl_channel_credentials(
        roots, stranger.private_key_pem.bytes(), stranger.cert_chain_pems[0].bytes()
    )
    with started(base_path, f"--ssl_config_file={ssl_config(True)}") as server:
        where = f"localhost:{server.port}"
        assert ask(grpc.secure_channel(where, known)) == [b"rotten"]
        for refused in (grpc.ssl_channel_credentials(roots), unknown):
            with pytest.raises(grpc.RpcError, match="UNAVAILABLE"):
                ask(grpc.secure_channel(where, refused))


@pytest.fixture
def socket_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A name that is short enough for a Unix socket, whatever the test's folder is called."""
    monkeypatch.chdir(tmp_path)
    return "s.sock"


def test_a_unix_socket_whose_server_was_killed_is_replaced(
    base_path: Path, socket_path: str
) -> None:
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(socket_path)
    with started(base_path, f"--grpc_socket_path={socket_path}") as server:
        assert ask(grpc.insecure_channel(f"unix:{socket_path}")) == [b"rotten"]
        assert ask(grpc.insecure_channel(server.target)) == [b"rotten"]


@pytest.mark.parametrize("taken_by", ["a server", "a file"])
def test_a_unix_socket_that_is_taken(base_path: Path, socket_path: str, taken_by: str) -> None:
    with socket.socket(socket.AF_UNIX) as living:
        if taken_by == "a server":
            living.bind(socket_path)
            living.listen()
        else:
            Path(socket_path).write_text("mine")
        with pytest.raises(FileExistsError, match=f"another server|{socket_path} is a file"):
            started(base_path, f"--grpc_socket_path={socket_path}")
    assert os.path.exists(socket_path)


def test_metrics_by_tf_serving_s_names(
    base_path: Path, tmp_path: Path, rest_of: Callable[[Any], Callable[..., Any]]
) -> None:
    file = tmp_path / "monitoring.config"
    file.write_text('prometheus_config { enable: true path: "/metrics" }')
    with started(base_path, f"--monitoring_config_file={file}") as server:
        ask(grpc.insecure_channel(server.target))
        rest = rest_of(server)
        rest("/v1/models/tiny:predict", {"instances": ["a"]})
        rest("/v1/models/tiny:predict", {"instances": [1]})
        rest("/v1/models/unknown:predict", {"instances": ["a"]})
        url = f"http://127.0.0.1:{server.rest_port}/metrics"
        with urllib.request.urlopen(url) as answer:
            kind, lines = answer.headers["content-type"], answer.read().decode().splitlines()
    assert kind.startswith("text/plain; version=0.0.4")
    count = ":tensorflow:serving:request_count"
    assert f'{count}{{model_name="tiny",status="OK"}} 2' in lines
    assert f'{count}{{model_name="tiny",status="INVALID_ARGUMENT"}} 1' in lines
    assert not any("unknown" in line for line in lines)
    latency = ":tensorflow:serving:request_latency"
    for api, entrypoint in (("Predict", "GRPC"), ("predict", "REST")):
        labels = f'model_name="tiny",API="{api}",entrypoint="{entrypoint}"'
        assert f"{latency}_count{{{labels}}} 1" in lines
        assert f'{latency}_bucket{{{labels},le="+Inf"}} 1' in lines


def test_no_metrics_unless_asked_for(server: RunningServer) -> None:
    url = f"http://127.0.0.1:{server.rest_port}/monitoring/prometheus/metrics"
    with pytest.raises(urllib.error.HTTPError) as error:
        urllib.request.urlopen(url)
    error.value.close()
    assert error.value.code == 404
