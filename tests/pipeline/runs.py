"""The command as a user gives it, in a project's folder, and what came of it."""

import io
import json
import os
import resource
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

Ids = list[tuple[int, ...]]
COMMAND = [sys.executable, "-m", "pipeline.cli.main"]
# What `preexec_fn` would do: that forks, and where gRPC has threads, as in a process that served,
# the fork of newer ones aborts. Whoever is started in the background of a script ignores SIGINT.
_BEFORE = """
import os, resource, signal, sys
signal.signal(signal.SIGINT, signal.SIG_DFL)
largest_file = int(sys.argv[1])
if largest_file != resource.RLIM_INFINITY:
    resource.setrlimit(resource.RLIMIT_FSIZE, (largest_file, largest_file))
os.execv(sys.argv[2], sys.argv[2:])
"""


@dataclass(frozen=True)
class Ran:
    """A command that has ended: exit code, what it said, the latest run's components by id."""

    code: int
    said: str
    components: dict[str, Any]

    def states(self, *names: str) -> dict[str, str]:
        return {name: self.components[name].state for name in names or self.components}


@dataclass(frozen=True)
class Project:
    """A project's folder and its first whole run."""

    folder: Path
    first: Ran

    @property
    def model(self) -> Path:
        """The version folder that the first run pushed."""
        [pushed] = self.first.components["Pusher"].outputs["pushed_model"]
        return Path(pushed.properties["pushed_destination"])

    def artifact(self, component: str, key: str) -> Path:
        return self.first.components[component].folder(key)


def _command(largest_file: int = resource.RLIM_INFINITY) -> list[str]:
    return [sys.executable, "-c", _BEFORE, str(largest_file), *COMMAND]


def rawbert(folder: Path, *arguments: str, largest_file: int = resource.RLIM_INFINITY) -> Ran:
    """Gives the command in a folder and waits; no file may grow beyond ``largest_file`` bytes."""
    command = [*_command(largest_file), *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    return Ran(done.returncode, done.stdout + done.stderr, latest_run(folder))


def rawbert_here(folder: Path, *arguments: str) -> Ran:
    """As `rawbert`, in this process, which imports TFX once for all of them."""
    from pipeline.cli.main import main

    said = io.StringIO()
    with ExitStack() as back:
        back.callback(os.chdir, Path.cwd())
        back.callback(setattr, sys, "argv", sys.argv)
        back.enter_context(redirect_stdout(said))
        back.enter_context(redirect_stderr(said))
        ended = back.enter_context(pytest.raises(SystemExit))
        os.chdir(folder)
        sys.argv = ["rawbert", *arguments]
        main()
    return Ran(ended.value.code or 0, said.getvalue(), latest_run(folder))


def predicted(model: Path, texts: Iterable[str]) -> list[dict[str, Any]]:
    """What `rawbert predict --json` says of texts that stand on a line each, in this process."""
    from pipeline.cli.predict import predict

    lines = "".join(f"{text}\n" for text in texts)
    said = CliRunner().invoke(predict, ["--model", str(model), "--json"], input=lines)
    assert said.exit_code == 0, said.output
    return [json.loads(line) for line in said.output.splitlines() if line.startswith("{")]


def interrupted(folder: Path, at: str, *arguments: str) -> Ran:
    """As `rawbert`, with Ctrl-C as soon as a line with these words is shown."""
    process = subprocess.Popen(
        [*_command(), *arguments],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    assert process.stdout is not None
    said = ""
    for line in process.stdout:
        said += line
        if at in line:
            process.send_signal(signal.SIGINT)
            break
    said += process.stdout.read()
    return Ran(process.wait(), said, latest_run(folder))


def latest_run(folder: Path) -> dict[str, Any]:
    """The components of a project's latest run."""
    from pipeline.run_record import latest_run

    metadata = folder / "out" / "tiny" / "metadata.sqlite"
    return latest_run(str(metadata), "tiny") if metadata.exists() else {}


def examples_in(folder: Path, split: str) -> list[Any]:
    """The tf.train.Examples of a split of an Examples artifact."""
    import tensorflow as tf

    files = sorted(str(file) for file in (folder / f"Split-{split}").iterdir())
    records = tf.data.TFRecordDataset(files, compression_type="GZIP")
    return [tf.train.Example.FromString(record) for record in records.as_numpy_iterator()]


@contextmanager
def served_copy(model: Path, folder: Path) -> Iterator[Any]:
    """A client of a fresh server process on a copy of a version folder, made in ``folder``."""
    from serving.client import Client
    from serving.server.process import spawn

    shutil.copytree(model, folder / "tiny" / "1")
    with (
        spawn(folder / "tiny", name="tiny", cwd=folder) as server,
        Client(server.target, name="tiny") as client,
    ):
        yield client


def served_ids(client: Any, texts: list[bytes]) -> Ids:
    """The ids that a served model makes of texts."""
    answer = client.predict_arrays(texts, "tokenize")
    lengths = answer["n_pieces"].tolist()
    rows = answer["input_word_ids"].tolist()
    return [tuple(row[:n]) for row, n in zip(rows, lengths, strict=True)]
