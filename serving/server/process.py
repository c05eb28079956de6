"""Starts the embedded server in a fresh process: nothing of the caller's is loaded in it.

with spawn("out/reviews/serving/reviews/3", name="reviews") as server:
    Client(server.target, name=server.name).predict(["A delight."])
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType

from serving.errors import NotAModel


class ServerProcess:
    """A running server process; dies with its parent, whatever happens to that.

    Attributes: `name`, `version`, `host`, `port`, `rest_port`, `pid`, `target`.
    """

    def __init__(self, process: subprocess.Popen, ready: Mapping) -> None:
        self._process = process
        self.name, self.version = str(ready["name"]), int(ready["version"])
        self.host, self.port, self.rest_port = ready["host"], ready["port"], ready["rest_port"]
        self.pid, self.target = process.pid, f"{self.host}:{self.port}"

    def stop(self, timeout: float = 60.0) -> int:
        """Drains and ends the process; returns its exit code."""
        if self._process.stdin:
            self._process.stdin.close()
        self._process.terminate()
        try:
            return self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            self._process.kill()
            return self._process.wait()

    def __enter__(self) -> "ServerProcess":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()


def spawn(
    path: str | Path,
    *,
    name: str | None = None,
    rest: bool = False,
    flags: Sequence[str] = (),
    cwd: str | Path | None = None,
    env: Mapping[str, str] | None = None,
) -> ServerProcess:
    """Starts a server on free ports of 127.0.0.1 and returns when it answers.

    Args:
        path: a base path, or one version, which is then pinned.
        name: the model's name for clients; the base folder's by default.
        rest: whether to open REST too.
        flags: more of the server's flags.
        cwd: the process's working folder.
        env: its environment; the caller's by default.

    Raises:
        NotAModel: the model cannot be served; carries what the process said.
        OSError: the process failed otherwise.
    """
    command = [sys.executable, "-m", "serving.server", str(Path(path).absolute())]
    command += ["--until-stdin-closes", "--port=0", "--rest_api_port=0", *flags]
    command += [f"--model_name={name}"] if name else []
    command += [] if rest else ["--no-rest"]
    with tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            cwd=cwd,
            env=None if env is None else dict(env),
        )
        assert process.stdout is not None
        line = process.stdout.readline()
        if line:
            return ServerProcess(process, json.loads(line))
        code = process.wait()
        errors.seek(0)
        said = errors.read().decode("utf-8", "replace").strip()
    if code == 2:
        raise NotAModel(path, f"the server refuses it: {said[-2000:]}", "")
    raise OSError(f"the server ended with exit code {code}: {said[-2000:]}")
