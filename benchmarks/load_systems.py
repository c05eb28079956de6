"""What is measured: the model in process, the embedded server, a peer; each in its own process."""

import json
import os
import shlex
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from abc import ABC, abstractmethod
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple

import psutil

from serving.server.process import spawn

_HERE = Path(__file__).parent
MODEL = "model"
WARM_S = 1.0

Measured = dict[str, Any]


class Setting(NamedTuple):
    """How TensorFlow runs: an op's threads, ops at once, `VARIABLE=value` of its environment."""

    intra: int = 0
    inter: int = 0
    environment: tuple[str, ...] = ()

    def variables(self) -> dict[str, str]:
        """The environment of a process that has it."""
        return os.environ | dict(word.split("=", 1) for word in self.environment)


class System(ABC):
    """Something that answers texts; use as a context manager.

    Attributes:
        name: for the table.
        protocol: how it is asked.
        pid: of its process.
        setting: where we know; 0 threads are TensorFlow's choice.
    """

    name: str
    protocol: str
    pid: int
    setting: Setting = Setting()

    def cpu_seconds(self) -> float:
        """That its process and the children of this have taken so far."""
        root = psutil.Process(self.pid)
        times = [one.cpu_times() for one in (root, *root.children(recursive=True))]
        return sum(one.user + one.system for one in times)

    @abstractmethod
    def measure(self, clients: int, seconds: float) -> Measured:
        """`latencies_ms`, `seconds`, `failed`; a latency is of one request, or of one batch."""

    @abstractmethod
    def stop(self) -> None:
        """Ends its process."""

    def __enter__(self) -> "System":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()


class InProcess(System):
    """No server: batches of as many texts as the others have clients, one after the other."""

    protocol = "no protocol"

    def __init__(self, version: Path, texts: Path, setting: Setting) -> None:
        self.name, self.setting = in_process(setting), setting
        command = [sys.executable, str(_HERE / "load_in_process.py"), str(version), str(texts)]
        command += [str(setting.intra), str(setting.inter)]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            env=setting.variables(),
        )  # fmt: skip
        self.pid = self._process.pid
        self._answer()

    def measure(self, clients: int, seconds: float) -> Measured:
        """As `System.measure`; `clients` is the batch."""
        return self._ask({"batch": clients, "warm": WARM_S, "seconds": seconds})

    def scores(self, count: int) -> list[list[float]]:
        """Of the first texts."""
        return self._ask({"scores": count})

    def stop(self) -> None:
        """Ends its input, and so the process."""
        self._process.communicate()

    def _ask(self, question: dict[str, Any]) -> Any:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(question).encode() + b"\n")
        self._process.stdin.flush()
        return self._answer()

    def _answer(self) -> Any:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError("the process of in-process inference has ended")
        return json.loads(line)


class Served(System):
    """A server asked by the clients' process."""

    def __init__(self, name: str, kind: str, target: str, texts: Path) -> None:
        self.name, self.protocol, self.target = name, kind, target
        self._texts = texts

    def measure(self, clients: int, seconds: float) -> Measured:
        """Runs the clients' process once."""
        command = [sys.executable, str(_HERE / "load_clients.py"), self.protocol, self.target]
        command += [MODEL, str(self._texts), "--clients", str(clients)]
        command += ["--seconds", str(seconds), "--warm", str(WARM_S)]
        done = subprocess.run(command, stdout=subprocess.PIPE, check=True)
        return json.loads(done.stdout)


class Embedded(Served):
    """`python -m serving.server` with flags and variables of its own; `rest`: how it is asked."""

    def __init__(self, name: str, version: Path, flags: str, texts: Path, rest: bool) -> None:
        self.setting = setting_of(flags)
        given = [word for word in shlex.split(flags) if word.startswith("--")]
        self._server = spawn(
            version, name=MODEL, rest=rest, flags=given, env=self.setting.variables()
        )
        port = self._server.rest_port if rest else self._server.port
        kind = "rest" if rest else "grpc"
        self.pid = self._server.pid
        super().__init__(name, kind, f"{self._server.host}:{port}", texts)

    def stop(self) -> None:
        """Drains and ends the server."""
        self._server.stop()


class Infinity(Served):
    """infinity-emb, from an environment of its own, with a folder that transformers reads.

    Its `optimum` engine finds a local model's ONNX file only below the working folder, and its own
    warm-up sends it texts longer than a BERT takes, which it does not cut: it goes without.
    """

    def __init__(self, executable: Path, engine: str, folder: Path, texts: Path, log: Path) -> None:
        port = _free_port()
        command = [str(executable.absolute()), "v2", "--model-id", ".", "--engine", engine]
        command += ["--served-model-name", MODEL, "--device", "cpu", "--log-level", "warning"]
        command += ["--host", "127.0.0.1", "--port", str(port)]
        command += ["--no-model-warmup"] if engine == "optimum" else []
        # Nothing is fetched and nobody is told.
        alone = {"HF_HUB_OFFLINE": "1", "DO_NOT_TRACK": "1"}
        self._log = log.open("wb")
        self._process = subprocess.Popen(
            command, stdout=self._log, stderr=subprocess.STDOUT,
            cwd=folder, env={**os.environ, **alone}, start_new_session=True,
        )  # fmt: skip
        self.pid = self._process.pid
        super().__init__(f"infinity-emb, {engine}", "infinity", f"127.0.0.1:{port}", texts)
        try:
            self._wait(300.0)
        except BaseException:
            self.stop()
            raise

    def scores(self, texts: list[str], labels: list[str]) -> list[list[float]]:
        """Of some texts, in the labels' order."""
        found = []
        for text in texts:
            answer = self._post({"model": MODEL, "input": [text]})
            by_label = {one["label"]: one["score"] for one in answer["data"][0]}
            found.append([by_label[label] for label in labels])
        return found

    def stop(self) -> None:
        """Ends the process and its children."""
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGTERM)
            self._process.wait()
        self._log.close()

    def _wait(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while True:
            try:
                self._post({"model": MODEL, "input": ["a"]})
                return
            except OSError:
                if self._process.poll() is not None or time.monotonic() > end:
                    raise RuntimeError(f"{self.name} does not start: {self._log.name}") from None
                time.sleep(0.5)

    def _post(self, body: dict[str, Any]) -> Any:
        request = urllib.request.Request(
            f"http://{self.target}/classify",
            json.dumps(body).encode(),
            {"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=60) as response:
            return json.loads(response.read())


def setting_of(flags: str) -> Setting:
    """Of a server with these flags, and variables among them."""
    words = shlex.split(flags)
    given = dict(word.split("=", 1) for word in words if "=" in word)
    intra, inter = (
        int(given.get(f"--tensorflow_{which}_op_parallelism", 0)) for which in ("intra", "inter")
    )
    return Setting(intra, inter, tuple(word for word in words if not word.startswith("--")))


def in_process(setting: Setting) -> str:
    """What in-process inference with it is called."""
    threads = [f"threads {setting.intra}, {setting.inter}"] if any(setting[:2]) else []
    return ", ".join(["in process", *threads, *setting.environment])


def _free_port() -> int:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        return int(bound.getsockname()[1])
