"""A server of several models with the demo page, and a browser that looks at it."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import pytest
from chromium import WAIT_MS, launched

from serving.server.main import RunningServer, serve
from serving.server.settings import Settings
from serving.server.versions import open_base_path
from serving.server.wanted import WantedModel

TESTS = Path(__file__).parents[2]
ODD_NAME = 'it\'s <b>odd</b> & "so" é'
NAMES = ("tagger", "odd", "many", "pair", "numbers")
OpenPage = Callable[..., Any]


@pytest.fixture(scope="module")
def folders(exported: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Base paths by model name."""
    base = tmp_path_factory.mktemp("demo")
    program = Path(__file__).with_name("demo_models.py")
    path = os.pathsep.join([str(TESTS), str(TESTS.parent)])
    subprocess.run(
        [sys.executable, str(program), str(base)],
        check=True,
        env={**os.environ, "PYTHONPATH": path},
    )
    return {name: base / name for name in NAMES} | {
        "tiny": exported / "1",
        ODD_NAME: exported / "2",
    }


@pytest.fixture(scope="module")
def demo(folders: dict[str, Path]) -> Iterator[RunningServer]:
    models = tuple(WantedModel(name, open_base_path(path)) for name, path in folders.items())
    patient = {"rest_timeout_seconds": WAIT_MS / 1000}
    with serve(Settings(models, port=0, rest_port=0, demo=True, **patient)) as running:
        yield running


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with launched() as found:
        yield found


@pytest.fixture
def open_page(browser: Any, demo: RunningServer) -> Iterator[OpenPage]:
    """open_page("tagger", refused=False, url=None, **context) -> the page, ready to be asked.

    In the end none may have had an error, scrolled sideways or spoken with another origin.
    """
    opened: list[tuple[Any, list[str], list[str], bool]] = []

    def open_one(model: str, *, refused: bool = False, url: str = "", **context: Any) -> Any:
        url = url or demo.demo_url or ""
        page = browser.new_context(**context).new_page()
        page.set_default_timeout(WAIT_MS)
        origins, errors = list[str](), list[str]()
        page.on("request", lambda sent: origins.append(urlsplit(sent.url).netloc))
        page.on("console", lambda said: errors.append(said.text) if said.type == "error" else None)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(f"{url}?model={quote(model)}")
        opened.append((page, origins, errors, refused))
        page.wait_for_selector(".examples:not([hidden]), #error h2")
        return page

    yield open_one
    for page, origins, errors, refused in opened:
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert set(origins) == {urlsplit(page.url).netloc}
        assert refused or errors == []
        page.context.close()
