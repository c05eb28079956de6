"""What several rooms' tests share: a project of a small data set, a vocabulary and a recipe."""

from collections.abc import Callable
from pathlib import Path

import pytest
from tiny_data import write_project, write_tagger_project


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files of minutes before files of seconds, so that no worker waits for the other."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)


@pytest.fixture(scope="session")
def tiny_project() -> Callable[..., Path]:
    """tiny_project(folder, rows=400, shuffled=False) -> the recipe it wrote there."""
    return write_project


@pytest.fixture(scope="session")
def tiny_tagger_project() -> Callable[..., Path]:
    """tiny_tagger_project(folder, rows=400, shuffled=False) -> the recipe it wrote there."""
    return write_tagger_project
