"""What several rooms' tests share: a project of a small data set, a vocabulary and a recipe."""

from collections.abc import Callable
from pathlib import Path

import pytest
from tiny_data import write_project, write_tagger_project

_RUNS = "pushed"  # the fixture that several modules share; a run of the pipeline is a minute


@pytest.hookimpl(tryfirst=True)  # before the workers read the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keeps what shares a fixture in one worker; minutes before seconds, so that none waits."""
    groups: dict[str, list[pytest.Item]] = {}
    for item in items:
        shares = _RUNS in getattr(item, "fixturenames", ())
        groups.setdefault(_RUNS if shares else item.path.name, []).append(item)
    for name, group in groups.items():
        for item in group:
            item.add_marker(pytest.mark.xdist_group(name))
    slow_first = sorted(groups.values(), key=lambda group: not _is_slow(group))
    items[:] = [item for group in slow_first for item in group]


def _is_slow(group: list[pytest.Item]) -> bool:
    return any(item.get_closest_marker("slow") for item in group)


@pytest.fixture(scope="session")
def tiny_project() -> Callable[..., Path]:
    """tiny_project(folder, rows=400, shuffled=False) -> the recipe it wrote there."""
    return write_project


@pytest.fixture(scope="session")
def tiny_tagger_project() -> Callable[..., Path]:
    """tiny_tagger_project(folder, rows=400, shuffled=False) -> the recipe it wrote there."""
    return write_tagger_project
