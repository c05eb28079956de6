"""The Dockerfile of the steps' image: it copies what is there, and installs what the steps need."""

from pathlib import Path

import pytest
from dockerfile_parse import DockerfileParser
from pipeline_image import PACKAGES, SOURCE

Instructions = list[tuple[str, str]]


@pytest.fixture
def instructions(tmp_path: Path) -> Instructions:
    text = (SOURCE / "Dockerfile").read_bytes()
    parser = DockerfileParser(str(tmp_path))  # writes where it reads
    parser.content = text.decode()
    return [(one["instruction"], one["value"]) for one in parser.structure]


def copied(instructions: Instructions) -> set[str]:
    return {
        source for name, value in instructions if name == "COPY" for source in value.split()[:-1]
    }


def test_what_is_copied_is_there_and_reaches_the_builder(instructions: Instructions) -> None:
    let_in = (SOURCE / ".dockerignore").read_text().splitlines()
    for source in copied(instructions):
        assert (SOURCE / source).exists(), source
        assert f"!{source}" in let_in, source
    assert set(PACKAGES) <= copied(instructions)


def test_the_lock_and_its_python(instructions: Instructions) -> None:
    assert "constraints/tfx-1.16.txt" in copied(instructions)
    lock = (SOURCE / "constraints" / "tfx-1.16.txt").read_text()
    assert ("ARG", "BASE=python:3.10-slim-bookworm") in instructions
    assert "--python-version 3.10 " in lock
    assert "\nkfp-pipeline-spec==" in lock  # the steps' entry point reads its messages


def test_a_number_as_user_satisfies_run_as_non_root(instructions: Instructions) -> None:
    [user] = [value for name, value in instructions if name == "USER"]
    assert all(part.isdigit() and int(part) for part in user.split(":"))


def test_the_entry_point_is_named_as_its_module() -> None:
    from pipeline.runners import container

    assert container.COMMAND[-1] == container.__name__
