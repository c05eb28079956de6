"""rawbert predict: texts from arguments or standard input, from a server or a folder."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from pipeline.cli import predict as command
from pipeline.cli.predict import predict

LONG = "film " * 12


def run(*arguments: str, stdin: str | bytes | None = None) -> Result:
    return CliRunner().invoke(predict, list(arguments), input=stdin)


@pytest.fixture
def at(server: Any) -> list[str]:
    return ["--server", server.target]


def test_for_people(at: list[str]) -> None:
    result = run(*at, "a good film", LONG)
    first, second = result.stdout.splitlines()
    assert result.exit_code == 0
    assert first == "rotten\t0.8699\ta good film"
    assert second.endswith("(truncated: the model did not see 4 tokens)")


def test_lines_of_json(at: list[str], client: Any) -> None:
    result = run(*at, "--json", "a good film", LONG)
    first, second = (json.loads(line) for line in result.stdout.splitlines())
    row = client.predict(["a good film"])[0]
    assert first == {
        "text": "a good film",
        "label": row["label"],
        "score": row["score"],
        "scores": dict(zip(["rotten", "fresh"], row["scores"], strict=True)),
        "dropped_tokens": 0,
    }
    assert (second["text"], second["dropped_tokens"]) == (LONG, 4)


def test_a_model_in_this_process_answers_the_same(at: list[str], base_path: Path) -> None:
    texts = ["--json", "a good film", "", "日"]
    assert run("--model", str(base_path), *texts).stdout == run(*at, *texts).stdout


def test_every_line_of_standard_input_is_a_text(at: list[str]) -> None:
    result = run(*at, "--json", "--batch-size", "2", stdin=b"a film\r\n\n\xff bad\nlast")
    texts = [json.loads(line)["text"] for line in result.stdout.splitlines()]
    assert texts == ["a film", "", "\ufffd bad", "last"]


def test_any_signature_can_be_asked(at: list[str]) -> None:
    result = run(*at, "--signature", "tokenize", "good films")
    assert result.stdout.splitlines()[0] == "good films"
    assert '  pieces: ["good", "film", "##s"]' in result.stdout.splitlines()


def test_input_is_read_as_it_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[int] = []

    def endless() -> Iterator[bytes]:
        for number in range(10**9):
            read.append(number)
            yield b"text"

    monkeypatch.setattr(command, "_lines", endless)
    batches = command._batches((), 32)
    assert (len(next(batches)), len(read)) == (32, 32)
    assert (len(next(batches)), len(read)) == (32, 64)


def test_no_server_is_exit_code_1() -> None:
    result = run("--server", "127.0.0.1:1", "a")
    assert result.exit_code == 1
    assert "no server answers at 127.0.0.1:1 (connection refused)" in result.stderr
    assert "rawbert serve" in result.stderr


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--name", "no"], "Servable not found for request: Latest(no)"),
        (["--signature", "no"], 'Serving signature key "no" not found'),
        (["--signature", "numbers"], "input size does not match signature"),
        (["--model", "/nowhere"], "--server and --model exclude each other"),
    ],
    ids=["name", "signature", "other inputs", "both"],
)
def test_wrong_questions_are_exit_code_2(at: list[str], options: list[str], says: str) -> None:
    result = run(*at, *options, "a")
    assert result.exit_code == 2
    assert says in result.stderr


def test_no_model_is_exit_code_2(tmp_path: Path) -> None:
    result = run("--model", str(tmp_path), "a")
    assert result.exit_code == 2
    assert "is an empty folder" in result.stderr


def test_an_unnamed_model_of_another_server_is_asked_for(base_path: Path, exported: Path) -> None:
    from serving.client import Client
    from serving.server.main import start

    with start(base_path, name="default", port=0, rest_port=None) as server:
        with Client(server.target) as client:
            assert client.name == "default"
        assert run("--server", server.target, "a").exit_code == 0
