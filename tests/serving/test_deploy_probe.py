"""The health check of image and cluster, run as it stands against a server over a real socket."""

import dataclasses
import shutil
import socket
import subprocess
from pathlib import Path
from typing import Any

import pytest

from serving.deploy import deployment, folder, probe

pytestmark = pytest.mark.skipif(shutil.which("bash") is None, reason="the image has bash")


@pytest.fixture
def planned(exported: Path) -> deployment.Deployment:
    return deployment.plan(exported, "2.16", name="tiny")


def code(planned: deployment.Deployment, port: int) -> int:
    command = probe.command(planned, port)
    return subprocess.run(command, stderr=subprocess.DEVNULL, timeout=30).returncode


def test_an_available_model_is_healthy(planned: deployment.Deployment, server: Any) -> None:
    assert code(planned, server.rest_port) == 0


def test_a_model_that_is_not_there_is_not(planned: deployment.Deployment, server: Any) -> None:
    other = dataclasses.replace(planned, name="another")
    assert code(other, server.rest_port) != 0


def test_nobody_who_listens_is_not(planned: deployment.Deployment) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    assert code(planned, port) != 0


def test_a_model_that_loads_still_is_not(planned: deployment.Deployment) -> None:
    loading = b'HTTP/1.0 200 OK\r\n\r\n{"model_version_status": [{"state": "LOADING"}]}'
    with socket.create_server(("127.0.0.1", 0)) as listening:
        command = probe.command(planned, listening.getsockname()[1])
        with subprocess.Popen(command) as asking:
            connection, _ = listening.accept()
            connection.recv(1000)
            connection.sendall(loading)
            connection.close()
            assert asking.wait(30) != 0


def test_the_written_copy_is_served(exported: Path, tmp_path: Path) -> None:
    from serving.local import Local

    planned = deployment.plan(exported, "2.16", name="tiny")
    folder.write(planned, tmp_path / "to")
    with Local(tmp_path / "to" / "models" / "tiny") as model:
        [row] = model.predict(["a good film"])
    assert row["label"] in ("rotten", "fresh")
