"""Every row of error_cases.py over gRPC and REST, by our server and, where there is one, TF's."""

import re
import shutil
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from error_cases import CASES, Case
from error_requests import ask, get, method_of
from free_ports import free_ports
from strict_json import strict

REAL = "tensorflow_model_server"
SERVERS = ["embedded", *([REAL] if shutil.which(REAL) else [])]
NAMES = [case.name for case in CASES]

Doors = dict[str, tuple[int, int]]
"""Model -> (gRPC port, REST port)."""


@pytest.fixture(scope="module", params=SERVERS)
def doors(request: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Doors]:
    models = {
        "tiny": request.getfixturevalue("exported"),
        "shared": request.getfixturevalue("exported_shared"),
    }
    if request.param == REAL:
        yield from real_server(models, tmp_path_factory.mktemp("real"))
    else:
        servers = [request.getfixturevalue(name) for name in ("server", "shared_server")]
        yield {name: (s.port, s.rest_port) for name, s in zip(models, servers, strict=True)}


def real_server(models: dict[str, Path], folder: Path) -> Iterator[Doors]:
    entry = 'config {{ name: "{}" base_path: "{}" model_platform: "tensorflow"\n{} }}'
    policy = "model_version_policy { specific { versions: 1 } }"
    entries = "\n".join(entry.format(name, path, policy) for name, path in models.items())
    (folder / "models.config").write_text(f"model_config_list {{ {entries} }}")
    port, rest_port = free_ports(2)
    command = [REAL, f"--port={port}", f"--rest_api_port={rest_port}"]
    command.append(f"--model_config_file={folder / 'models.config'}")
    with subprocess.Popen(command) as process:
        try:
            wait_for(rest_port, list(models))
            yield dict.fromkeys(models, (port, rest_port))
        finally:
            process.terminate()


def wait_for(port: int, names: list[str]) -> None:
    while names:
        try:
            status, _ = ask(port, get(f"/v1/models/{names[0]}/metadata"))
        except OSError:
            status = 0
        if status == 200:
            names = names[1:]
        time.sleep(0.1)


def ports(doors: Doors, case: Case) -> tuple[int, int]:
    asked = f"{case.grpc} {case.rest}"
    return doors["shared" if 'name: "shared"' in asked or "models/shared" in asked else "tiny"]


def skip_where_we_differ(request: Any, case: Case) -> None:
    if case.differs and request.node.callspec.params["doors"] == REAL:
        pytest.skip(f"we differ on purpose: {case.differs}")


@pytest.mark.parametrize("case", [case for case in CASES if case.grpc], ids=lambda case: case.name)
def test_over_grpc(request: Any, doors: Doors, case: Case) -> None:
    skip_where_we_differ(request, case)
    asked, code = case.grpc or (None, "")
    with (
        grpc.insecure_channel(f"127.0.0.1:{ports(doors, case)[0]}") as channel,
        pytest.raises(grpc.RpcError) as caught,
    ):
        method_of(asked, channel)(asked, timeout=60)
    assert caught.value.code().name == code
    assert re.search(case.says, caught.value.details())


@pytest.mark.parametrize("case", [case for case in CASES if case.rest], ids=lambda case: case.name)
def test_over_rest(request: Any, doors: Doors, case: Case) -> None:
    skip_where_we_differ(request, case)
    asked, status = case.rest or (get(""), 0)
    got, body = ask(ports(doors, case)[1], asked)
    answer = strict(body)
    assert (got, set(answer)) == (status, {"error"}), answer
    assert re.search(case.says, answer["error"])


def test_the_servers_live_after_all_this(doors: Doors) -> None:
    for name, (_, rest_port) in doors.items():
        assert ask(rest_port, get(f"/v1/models/{name}/metadata"))[0] == 200


def test_the_table_is_whole() -> None:
    assert [name for name, count in Counter(NAMES).items() if count > 1] == []
    assert len(CASES) >= 40
    assert all(re.fullmatch(r"[\w/]+\.cc@[0-9a-f]{8}", case.source) for case in CASES)
    assert all(case.grpc or case.rest for case in CASES)


@pytest.mark.skipif(REAL not in SERVERS, reason=f"no {REAL} on PATH: only our server was asked")
def test_a_real_server_was_asked() -> None:
    """Shows in the report whether it was."""
