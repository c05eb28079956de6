"""What several rooms' tests share: a project of a small data set, a vocabulary and a recipe."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tiny_data import write_project, write_tagger_project

# Of files that ask for the fixture of tests/pipeline/conftest.py.
_SHARED_RUN = re.compile(r"\bpushed: (?:Project|Any)\b")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers", "changes: changes a project that other files read, and so comes after them"
    )
    # xdist would begin with the files of the most tests and end with those that take minutes.
    config.option.loadscopereorder = False


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files of minutes before files of seconds, so that no worker waits for the other."""
    slow, changing = (
        {item.path for item in items if item.get_closest_marker(name)}
        for name in ("slow", "changes")
    )
    items.sort(key=lambda item: (item.path not in slow, item.path in changing))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """`--dist loadfile`, but all files that read one shared run go to one worker.

    The run takes minutes, and every worker would make its own.
    """
    if config.getvalue("dist") != "loadfile":
        return None
    from xdist.scheduler import LoadFileScheduling

    class Scheduling(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            file = super()._split_scope(nodeid)
            text = (config.rootpath / file).read_text(encoding="utf-8")
            return "the shared run" if _SHARED_RUN.search(text) else file

    return Scheduling(config, log)


@pytest.fixture(scope="session")
def tiny_project() -> Callable[..., Path]:
    """tiny_project(folder, rows=400, shuffled=False) -> the recipe it wrote there."""
    return write_project


@pytest.fixture(scope="session")
def tiny_tagger_project() -> Callable[..., Path]:
    """tiny_tagger_project(folder, rows=400) -> the recipe it wrote there."""
    return write_tagger_project
