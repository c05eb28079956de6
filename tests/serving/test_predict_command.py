"""rawbert predict: texts from arguments or standard input, from a server or a folder."""

import io
import itertools
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from pipeline.cli import predict as command
from pipeline.cli.lines import Lines, Progress
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


def test_lines_of_files(at: list[str], tmp_path: Path) -> None:
    first, second = tmp_path / "1.txt", tmp_path / "2.txt"
    first.write_bytes(b"a film\n\xff bad")
    second.write_bytes(b"last\n")
    files = ["--file", str(first), "-f", str(second)]
    result = run(*at, "--json", "--batch-size", "2", "--in-flight", "3", *files)
    texts = [json.loads(line)["text"] for line in result.stdout.splitlines()]
    assert texts == ["a film", "\ufffd bad", "last"]
    assert run(*at, "-f", "-", stdin="a film").stdout == run(*at, "a film").stdout


def test_input_is_read_as_it_is_needed(client: Any) -> None:
    read: list[int] = []

    def endless() -> Iterator[bytes]:
        for number in itertools.count():
            read.append(number)
            yield b"text"

    progress = Progress(Lines([]))
    answered = command._answered(client, endless(), "serving_default", 32, 2, progress)
    next(answered)
    assert len(read) == 64
    assert len(list(itertools.islice(answered, 32))) == 32
    assert len(read) == 96


def test_a_reader_that_has_had_enough_is_no_error(at: list[str], tmp_path: Path) -> None:
    lines = tmp_path / "lines"
    lines.write_bytes(b"a good film\n" * 20_000)
    program = [sys.executable, "-m", "pipeline.cli.main", "predict", *at, "-f", str(lines)]
    process = subprocess.Popen(program, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout
    assert process.stderr
    assert process.stdout.readline() == b"rotten\t0.8699\ta good film\n"
    process.stdout.close()
    assert (process.wait(300), process.stderr.read()) == (0, b"")


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("seconds", "stdout", "said"),
    [
        (10.0, io.StringIO, "\r\033[K64 texts, 6 a second, 50 % read\r\033[K"),
        (2.0, io.StringIO, ""),
        (10.0, Terminal, ""),
    ],
    ids=["long", "short", "answers are seen"],
)
def test_progress_on_a_terminal(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, seconds: float, stdout: Any, said: str
) -> None:
    screen = Terminal()
    monkeypatch.setattr(sys, "stderr", screen)
    monkeypatch.setattr(sys, "stdout", stdout())
    file = tmp_path / "lines"
    file.write_bytes(b"text\n" * 128)
    times = iter([0.0, seconds])
    with file.open("rb") as opened:
        lines = Lines([opened])
        progress = Progress(lines, lambda: next(times))
        list(itertools.islice(lines, 64))
        progress(64)
        progress.clear()
    assert screen.getvalue() == said


def test_a_batch_that_is_refused_is_named(at: list[str]) -> None:
    result = run(*at, "--signature", "numbers", "--batch-size", "2", "a", "b", "c")
    assert result.stderr.startswith("error: texts 1 to 2: INVALID_ARGUMENT: input size")


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
        (["--file", __file__], "TEXT and --file exclude each other"),
        (["--client-key", __file__], "--client-key and --client-certificate come together"),
        (["--shard-rows", "10000"], "--shard-rows goes with --bulk alone"),
    ],
    ids=[
        "name",
        "signature",
        "other inputs",
        "both",
        "both kinds of text",
        "a key alone",
        "bulk's",
    ],
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
