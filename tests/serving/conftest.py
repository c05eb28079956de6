"""A tiny model, a server of it in this process, and a REST client over a real socket."""

import functools
import json
import shutil
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from strict_json import strict

TINY_MODEL = Path(__file__).with_name("tiny_model.py")
SHARED_INPUT_MODEL = Path(__file__).with_name("shared_input_model.py")


@pytest.fixture(scope="session")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with versions 1 (bias 0) and 2 (bias 3) of the tiny model; copy, do not change."""
    base = tmp_path_factory.mktemp("exported")
    subprocess.run([sys.executable, str(TINY_MODEL), str(base), "1:0", "2:3"], check=True)
    return base


@pytest.fixture(scope="session")
def exported_shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with version 1 of a model whose signatures share one input tensor."""
    base = tmp_path_factory.mktemp("shared")
    subprocess.run([sys.executable, str(SHARED_INPUT_MODEL), str(base)], check=True)
    return base


@pytest.fixture
def base_path(exported: Path, tmp_path: Path) -> Path:
    """A base path of one's own with version 1 in it."""
    shutil.copytree(exported / "1", tmp_path / "tiny" / "1")
    return tmp_path / "tiny"


@pytest.fixture(scope="session")
def server(exported: Path) -> Iterator[Any]:
    """A server of version 1 under the name `tiny`."""
    from serving.server.main import start

    with start(exported / "1", name="tiny", port=0, rest_port=0) as running:
        yield running


@pytest.fixture(scope="session")
def shared_server(exported_shared: Path) -> Iterator[Any]:
    """A server of that model under the name `shared`."""
    from serving.server.main import start

    with start(exported_shared / "1", name="shared", port=0, rest_port=0) as running:
        yield running


@pytest.fixture
def client(server: Any) -> Iterator[Any]:
    from serving.client import Client

    with Client(server.target, name="tiny") as connected:
        yield connected


Answer = tuple[int, Any]


@pytest.fixture(scope="session")
def rest_of() -> Callable[[Any], Callable[..., Answer]]:
    """rest_of(server) -> ask(path, body=None), which is `rest` for that server."""

    def of(server: Any) -> Callable[..., Answer]:
        return functools.partial(_ask, f"http://127.0.0.1:{server.rest_port}")

    return of


@pytest.fixture
def rest(server: Any, rest_of: Callable[[Any], Callable[..., Answer]]) -> Callable[..., Answer]:
    """rest(path, body=None) -> (HTTP status, parsed answer); a body (bytes or JSON) is POSTed."""
    return rest_of(server)


def _ask(base: str, path: str, body: Any = None, method: str | None = None) -> Answer:
    data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
    request = urllib.request.Request(base + path, data=data, method=method)
    try:
        with urllib.request.urlopen(request, timeout=60) as response:
            return response.status, strict(response.read())
    except urllib.error.HTTPError as error:
        return error.code, strict(error.read())
