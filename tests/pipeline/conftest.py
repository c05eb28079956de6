"""Runs of the tiny project, each made once.

A run takes a minute, so tests share them. Files that change a project are marked `changes` and come
after those that read it; a version once pushed stays where it is.
"""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from runs import Project, Ran, rawbert, rawbert_here, served_copy


@pytest.fixture(scope="session")
def project(tiny_project: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a project on true labels."""
    folder = tmp_path_factory.mktemp("pushed-project")
    tiny_project(folder)
    return folder


@pytest.fixture(scope="session")
def without_room(project: Path) -> Ran:
    """The project's very first run, which meets a full disk."""
    return rawbert(project, "run", "recipe.yaml", largest_file=150_000)


@pytest.fixture(scope="session")
def pushed(project: Path, without_room: Ran) -> Project:
    """The project after its first whole run, which begins with what the full disk left."""
    first = rawbert(project, "run", "recipe.yaml")
    assert first.code == 0, first.said
    return Project(project, first)


@pytest.fixture(scope="session")
def reruns(pushed: Project) -> tuple[Ran, Ran]:
    """The second and the third run of the same, unchanged project, each in another process."""
    second = rawbert_here(pushed.folder, "run", "recipe.yaml")
    return second, rawbert(pushed.folder, "run", "recipe.yaml")


@pytest.fixture
def model_copy(pushed: Project, tmp_path: Path) -> Callable[[], Path]:
    """model_copy() -> a copy of the pushed version, to be spoilt."""
    return lambda: Path(shutil.copytree(pushed.model, tmp_path / "tiny" / "1"))


@pytest.fixture(scope="session")
def served(pushed: Project, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A client of a fresh server process on a copy of the pushed version."""
    with served_copy(pushed.model, tmp_path_factory.mktemp("served")) as client:
        yield client
