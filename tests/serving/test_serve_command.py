"""rawbert serve: refusals with their exit codes, and the hand-over to a real TF Serving."""

import os
import signal
import socket
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from pipeline.cli.serve import serve

RUN = [sys.executable, "-c", "from pipeline.cli.serve import serve; serve()"]


@pytest.fixture
def fake_base(tmp_path: Path) -> Path:
    """A base path that looks whole; enough where no model is loaded."""
    (tmp_path / "reviews" / "3").mkdir(parents=True)
    (tmp_path / "reviews" / "3" / "saved_model.pb").write_bytes(b"")
    return tmp_path / "reviews"


@pytest.fixture
def tf_serving(tmp_path: Path) -> dict[str, str]:
    """An environment whose PATH has a tensorflow_model_server that prints its flags."""
    program = tmp_path / "bin" / "tensorflow_model_server"
    program.parent.mkdir()
    program.write_text('#!/bin/sh\nprintf "%s\\n" "$@"\ncat "${3#--model_config_file=}" || true\n')
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return {**os.environ, "PATH": f"{program.parent}:{os.environ['PATH']}"}


def test_no_model_is_exit_code_2(tmp_path: Path) -> None:
    result = CliRunner().invoke(serve, [str(tmp_path)])
    assert result.exit_code == 2
    assert "is an empty folder" in result.stderr


def test_a_taken_port_is_exit_code_1(fake_base: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        options = ["--engine", "embedded", "--port", port, "--rest-port", "0"]
        result = CliRunner().invoke(serve, [str(fake_base), *options])
    assert result.exit_code == 1
    assert f"port {port} on 127.0.0.1 is in use" in result.stderr
    assert "--port" in result.stderr


def test_a_model_that_does_not_load_is_exit_code_2(fake_base: Path) -> None:
    options = ["--engine", "embedded", "--port", "0", "--rest-port", "0"]
    result = CliRunner().invoke(serve, [str(fake_base), *options])
    assert result.exit_code == 2
    assert "version: 3 cannot be loaded" in result.stderr


def test_a_real_tf_serving_is_handed_the_model(fake_base: Path, tf_serving: dict) -> None:
    command = [*RUN, str(fake_base), "--port", "9000", "--rest-port", "9001"]
    done = subprocess.run(command, env=tf_serving, capture_output=True, text=True, check=True)
    lines = done.stdout.splitlines()
    assert lines[0] == "tensorflow_model_server on all interfaces: gRPC 9000, REST 9001"
    assert lines[1] == f"model reviews: {fake_base}"
    assert "http://127.0.0.1:9001/v1/models/reviews:predict" in lines[2]
    flags = ["--port=9000", "--rest_api_port=9001", "--model_name=reviews"]
    assert lines[3:7] == [*flags, f"--model_base_path={fake_base}"]


def test_a_pinned_version_stays_pinned_there(fake_base: Path, tf_serving: dict) -> None:
    command = [*RUN, str(fake_base / "3"), "--engine", "tensorflow", "--name", "r"]
    done = subprocess.run(command, env=tf_serving, capture_output=True, text=True, check=True)
    assert "specific { versions: 3 }" in done.stdout
    assert f'name: "r" base_path: "{fake_base}"' in done.stdout


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--host", "127.0.0.1"], "only the embedded server has --host"),
        (["--port", "0"], "does not choose a free port"),
        (["--demo"], "only the embedded server has --demo"),
    ],
    ids=["host", "free port", "demo"],
)
def test_flags_that_only_the_embedded_server_has(
    fake_base: Path, tf_serving: dict, options: list[str], says: str
) -> None:
    command = [*RUN, str(fake_base), "--engine", "tensorflow", *options]
    done = subprocess.run(command, env=tf_serving, capture_output=True, text=True)
    assert (done.returncode, says in done.stderr) == (2, True)


def test_tf_serving_that_is_not_there(fake_base: Path) -> None:
    result = CliRunner(env={"PATH": ""}).invoke(serve, [str(fake_base), "--engine", "tensorflow"])
    assert result.exit_code == 2
    assert "tensorflow_model_server is not on PATH" in result.stderr


def test_it_serves_until_ctrl_c(base_path: Path) -> None:
    command = [*RUN, str(base_path), "--engine", "embedded", "--port", "0", "--rest-port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(4)]
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0
    assert lines[0].startswith("embedded server on 127.0.0.1: gRPC ")
    assert lines[1] == "version 1 of tiny is loaded\n"
    assert lines[2] == f"model tiny: {base_path}\n"
    assert lines[3].startswith("try   curl -d ")
    assert lines[3].endswith("/v1/models/tiny:predict\n")
