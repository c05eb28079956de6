"""`rawbert run` stopped before anything starts: the exit code, what it says, and what it leaves."""

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.cli.main import main

Command = Callable[..., int]


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, tiny_project) -> Command:
    """command(argument, …) -> exit code; in a tiny project's folder."""
    tiny_project(tmp_path, rows=40)
    monkeypatch.chdir(tmp_path)

    def give(*arguments: str) -> int:
        monkeypatch.setattr(sys, "argv", ["rawbert", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        return int(ended.value.code or 0)

    return give


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["no_such.yaml"], ["no_such.yaml"]),
        (["recipe.yaml", "--set", "train.epoch=1"], ["epoch", "epochs"]),
        (["recipe.yaml", "--set", "train.epochs=many"], ["train.epochs", "many"]),
        (["recipe.yaml", "--set", "gate.accuracy.at_least=1.5"], ["at_least", "1.5"]),
        (["recipe.yaml", "--set", "data.path=nowhere/*.csv"], ["nowhere/*.csv"]),
        (["recipe.yaml", "--set", "data.label=genre"], ["genre", "category"]),
        (["recipe.yaml", "--set", "encoder=nowhere"], ["nowhere"]),
        (["recipe.yaml", "--no-such-flag"], ["--no-such-flag"]),
    ],
    ids=[
        "no recipe", "unknown key", "wrong type", "out of range", "no data", "no such column",
        "no encoder", "unknown flag",
    ],
)  # fmt: skip
def test_the_users_mistakes_exit_2(
    command: Command, capfd: pytest.CaptureFixture, arguments: list[str], words: list[str]
) -> None:
    assert command("run", *arguments) == 2
    said = capfd.readouterr().err
    assert all(word in said for word in words), said
    assert "Error: " in said
    assert not list(Path("out").glob("*/artifacts"))


def test_a_folder_that_cannot_be_made_exits_1(
    command: Command, capfd: pytest.CaptureFixture
) -> None:
    Path("a_file").write_text("")
    assert command("run", "recipe.yaml", "--out", "a_file/out") == 1
    said = capfd.readouterr().err
    assert "a_file/out" in said
    assert "--out" in said


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_is_read_only_exits_1(command: Command, capfd: pytest.CaptureFixture) -> None:
    Path("closed").mkdir(mode=0o500)
    assert command("run", "recipe.yaml", "--out", "closed/out") == 1
    assert "closed/out" in capfd.readouterr().err


def test_show_says_every_default_and_runs_nothing(
    command: Command, capfd: pytest.CaptureFixture
) -> None:
    assert command("run", "recipe.yaml", "--show", "--set", "train.epochs=9") == 0
    said = capfd.readouterr().out
    assert "epochs: 9" in said
    assert "weight_decay: 0.01" in said
    assert not Path("out").exists()
