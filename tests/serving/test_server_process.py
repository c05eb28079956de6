"""The server as a process: hermetic, one ready line, a quick and clear refusal, a clean end."""

import contextlib
import json
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from serving.errors import NotAModel, PortInUse
from serving.server.main import start
from serving.server.process import spawn

# What training needs and serving must not. TensorFlow imports Keras by itself when it is imported
# (and goes on without); after that, nobody may.
HERMETIC = """
import sys
import tensorflow, tensorflow_text
BANNED = {"keras", "tf_keras", "tensorflow_transform", "tfx", "trainer", "components", "pipeline"}
for name in [name for name in sys.modules if name.split(".")[0] in BANNED]:
    del sys.modules[name]
class Ban:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in BANNED:
            print("imported", name, flush=True)
            raise AssertionError(f"serving imports {name}")
sys.meta_path.insert(0, Ban())
from serving.server.__main__ import main
sys.exit(main(sys.argv[1:]))
"""


@contextlib.contextmanager
def taken_port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening.getsockname()[1]


def test_it_serves_without_what_trained_it_and_drains_on_sigterm(
    base_path: Path, tmp_path: Path
) -> None:
    from serving.client import Client

    command = [sys.executable, "-c", HERMETIC, str(base_path), "--port=0", "--rest_api_port=0"]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        ready = json.loads(process.stdout.readline())
        with Client(f"127.0.0.1:{ready['port']}") as client:
            over_grpc = client.predict(["a good film"])
            client.predict(["a good film"], "tokenize")
        body = json.dumps({"instances": ["a good film"]}).encode()
        url = f"http://127.0.0.1:{ready['rest_port']}/v1/models/tiny:predict"
        with urllib.request.urlopen(url, data=body) as response:
            over_rest = json.load(response)
        process.send_signal(signal.SIGTERM)
        said = process.stdout.read()
        assert (process.wait(60), said) == (0, b"")
    assert over_rest["predictions"] == over_grpc
    assert (ready["ready"], ready["name"], ready["version"]) == (True, "tiny", 1)


def test_spawn_and_stop(base_path: Path) -> None:
    from serving.client import Client

    with spawn(base_path / "1", name="other") as server:
        assert (server.name, server.version, server.rest_port) == ("other", 1, None)
        with Client(server.target) as client:
            assert client.name == "other"
        assert server.stop() == 0


def test_spawn_tells_why_not(tmp_path: Path) -> None:
    with pytest.raises(NotAModel, match="is an empty folder"):
        spawn(tmp_path)


@pytest.mark.parametrize("which", ["port", "rest_port"])
def test_a_taken_port_is_named_before_anything_is_loaded(base_path: Path, which: str) -> None:
    free: dict[str, Any] = {"port": 0, "rest_port": 0}
    with taken_port() as port, pytest.raises(PortInUse, match=f"port {port} .* is in use") as error:
        start(base_path, **{**free, which: port})
    assert f"--{which.replace('_', '-')}" in str(error.value)


def test_a_second_server_does_not_share_the_port(server: Any, base_path: Path) -> None:
    with pytest.raises(PortInUse, match=f"port {server.port} "):
        start(base_path, port=server.port, rest_port=None)


def test_a_failed_start_gives_its_ports_back(base_path: Path, tmp_path: Path) -> None:
    (tmp_path / "m" / "1").mkdir(parents=True)
    (tmp_path / "m" / "1" / "saved_model.pb").write_bytes(b"no model")
    with taken_port() as port:
        pass
    with pytest.raises(NotAModel):
        start(tmp_path / "m", port=port, rest_port=None)
    with start(base_path, port=port, rest_port=None) as again:
        assert again.port == port


def test_a_host_of_another_machine_is_refused(base_path: Path) -> None:
    with pytest.raises(OSError, match=r"cannot listen on 192\.0\.2\.1:0"):
        start(base_path, host="192.0.2.1", port=0, rest_port=None)
