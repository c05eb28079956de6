"""Flink's standalone cluster, Beam's job server and a pool of Python workers, on loopback."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from dataclasses import dataclass
from pathlib import Path

import psutil

from pipeline.runners.flink import jars
from pipeline.runners.worker_pool import FEW_ARENAS
from trainer.errors import BadInput

_CONFIG = """\
jobmanager.rpc.address: 127.0.0.1
jobmanager.rpc.port: {rpc}
jobmanager.bind-host: 127.0.0.1
rest.address: 127.0.0.1
rest.bind-address: 127.0.0.1
rest.port: {rest}
taskmanager.host: 127.0.0.1
taskmanager.bind-host: 127.0.0.1
taskmanager.numberOfTaskSlots: {workers}
taskmanager.cpu.cores: {workers}.0
taskmanager.memory.task.heap.size: 896m
taskmanager.memory.task.off-heap.size: 640m
taskmanager.memory.framework.heap.size: 128m
taskmanager.memory.framework.off-heap.size: 128m
taskmanager.memory.managed.size: 256m
taskmanager.memory.network.min: 256m
taskmanager.memory.network.max: 256m
taskmanager.memory.jvm-metaspace.size: 256m
taskmanager.memory.jvm-overhead.min: 192m
taskmanager.memory.jvm-overhead.max: 192m
# Beam's plans have hundreds of small tasks; the sorting shuffle would keep 512 buffers for each.
taskmanager.network.sort-shuffle.min-parallelism: 1000
taskmanager.network.blocking-shuffle.type: file
# Else each job loads Beam's classes anew, and an idle worker cannot be kept for the next step.
classloader.resolve-order: parent-first
# A Python worker that dies fails all its tasks at once, which is one attempt of this strategy, and
# fails them again until the job has let go of it (see environment_cache_millis).
restart-strategy.type: exponential-delay
restart-strategy.exponential-delay.initial-backoff: 6s
restart-strategy.exponential-delay.max-backoff: 30s
restart-strategy.exponential-delay.backoff-multiplier: 1.5
restart-strategy.exponential-delay.jitter-factor: 0.0
restart-strategy.exponential-delay.attempts-before-reset-backoff: 4
# A machine that is busy with other work is slow, not dead.
heartbeat.timeout: 300000
pekko.ask.timeout: 120 s
taskmanager.slot.timeout: 300 s
io.tmp.dirs: {folder}/tmp
blob.storage.directory: {folder}/tmp
"""
# Flink and Beam look into the JDK; their own scripts open the same packages.
_OPENED = ("lang", "lang.reflect", "net", "nio", "time", "util", "util.concurrent")
_JAVA = [
    "java",
    # The work is done in Python: most of what Java does here is to start.
    "-XX:TieredStopAtLevel=1",
    "-XX:+UseSerialGC",
    *(f"--add-opens=java.base/java.{name}=ALL-UNNAMED" for name in _OPENED),
    "--add-opens=java.base/sun.nio.ch=ALL-UNNAMED",
]
# Rows pass through: what is kept of them is garbage, which takes memory until it is collected.
_LITTLE_GARBAGE = ["-Xmn64m", "-XX:MinHeapFreeRatio=10", "-XX:MaxHeapFreeRatio=20"]
# And freed buffers go back: glibc learns from those of Flink to keep ever larger ones, 150 MB of
# them within a million rows. A threshold that is said stays.
_GIVES_BACK = {"MALLOC_MMAP_THRESHOLD_": "131072", "MALLOC_TRIM_THRESHOLD_": "131072"}
_RUNTIME = "org.apache.flink.runtime"
_READY_SECONDS = 180.0
_ENDING_SECONDS = 5.0  # that a killed Java may still hold its ports


@dataclass(frozen=True)
class Cluster:
    """Where a cluster is.

    Attributes:
        folder: logs, process ids and Flink's files.
        rest, rpc, jobs, pool: ports: Flink's web door and its own, the job server's first of three,
            the workers'.
        workers: Python workers, and task slots.
        parts: that the rows are cut into, two a worker at least. Flink sends a whole part before it
            reads an answer: until then answers wait in its memory, and when that is full, for ever.
            Eight do for four million texts. Transform makes 141 tasks of each part, so more of
            them cost more than they save.
    """

    folder: Path
    rest: int = 8081
    rpc: int = 6123
    jobs: int = 8097
    pool: int = 50000
    workers: int = 2
    parts: int = 8

    @property
    def beam_args(self) -> list[str]:
        """What makes a Beam pipeline run here."""
        return [
            "--runner=PortableRunner",
            f"--job_endpoint=127.0.0.1:{self.jobs}",
            "--environment_type=EXTERNAL",
            f"--environment_config=localhost:{self.pool}",
            f"--parallelism={max(self.parts, 2 * self.workers)}",
            f"--sdk_worker_parallelism={self.workers}",
            # A step's output is whole before the next reads it. Steps that run at once share one
            # stream to a worker, and with enough rows wait for each other for ever.
            "--execution_mode_for_batch=BATCH_FORCED",
            # Else workers end, and others start, whenever no step is at work for a moment.
            "--environment_cache_millis=3000",
        ]

    def start(self) -> None:
        """Starts everything and waits until it is ready for jobs.

        Raises:
            BadInput: a port is in use, the jars cannot be had.
            OSError: it does not get ready; says which log to read.
        """
        self._refuse_taken_ports()
        libraries = jars.bring()
        (self.folder / "tmp").mkdir(parents=True, exist_ok=True)
        config = _CONFIG.format(
            rpc=self.rpc, rest=self.rest, workers=self.workers, folder=self.folder.absolute()
        )
        (self.folder / "flink-conf.yaml").write_text(config)
        for name, command in self._commands(libraries).items():
            sparing = FEW_ARENAS | (_GIVES_BACK if command[0] == "java" else {})
            with (self.folder / f"{name}.log").open("wb") as log:
                process = subprocess.Popen(
                    command, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                    start_new_session=True, env={**sparing, **os.environ},
                )  # fmt: skip
            (self.folder / f"{name}.pid").write_text(_named(process.pid))
        try:
            self._wait()
        except BaseException:  # Ctrl-C, too: half a cluster would keep its ports
            self.stop()
            raise

    def _refuse_taken_ports(self) -> None:
        until = time.monotonic() + _ENDING_SECONDS
        for port in (self.rest, self.rpc, self.jobs, self.jobs + 1, self.jobs + 2, self.pool):
            while _answers(port):
                if time.monotonic() > until:
                    raise BadInput(
                        f"port {port} is in use",
                        where="flink",
                        fix="Is a cluster running already? `stop` it, or choose other ports.",
                    )
                time.sleep(0.2)

    def _commands(self, libraries: Path) -> dict[str, list[str]]:
        flink = [*_JAVA, "-cp", f"{libraries}/*"]
        config = ["--configDir", str(self.folder)]
        return {
            "jobmanager": [
                *flink, "-Xmx512m", f"{_RUNTIME}.entrypoint.StandaloneSessionClusterEntrypoint",
                *config,
            ],
            "taskmanager": [
                *flink, "-Xmx1g", *_LITTLE_GARBAGE, "-XX:MaxDirectMemorySize=1g",
                "-XX:MaxMetaspaceSize=256m",
                f"{_RUNTIME}.taskexecutor.TaskManagerRunner", *config,
            ],
            "jobserver": [
                *_JAVA, "-Xmx512m", "-jar", str(libraries / "job-server.jar"),
                f"--flink-master=127.0.0.1:{self.rest}", "--job-host=127.0.0.1",
                f"--job-port={self.jobs}", f"--artifact-port={self.jobs + 1}",
                f"--expansion-port={self.jobs + 2}", f"--artifacts-dir={self.folder}/tmp",
            ],
            "workers": [
                sys.executable, "-m", "pipeline.runners.worker_pool", "--port", str(self.pool),
            ],
        }  # fmt: skip

    def _wait(self) -> None:
        until = time.monotonic() + _READY_SECONDS
        while not (self._slots() and _answers(self.jobs) and _answers(self.pool)):
            ended = [name for name, process in self.processes().items() if not process]
            if ended or time.monotonic() > until:
                raise OSError(
                    f"{ended[0] if ended else 'the cluster'} did not start: see "
                    f"{self.folder / (ended[0] if ended else 'taskmanager')}.log"
                )
            time.sleep(0.5)

    def _slots(self) -> int:
        with contextlib.suppress(OSError, ValueError):
            url = f"http://127.0.0.1:{self.rest}/overview"
            with urllib.request.urlopen(url, timeout=5) as answer:
                return json.load(answer)["slots-total"]
        return 0

    def processes(self) -> dict[str, int]:
        """Process ids by name; 0 of one that has ended."""
        files = sorted(self.folder.glob("*.pid"))
        return {file.stem: _running(*file.read_text().split()) for file in files}

    def stop(self) -> list[str]:
        """Ends what `start` started; gives the names of what was still running."""
        found = {name: process for name, process in self.processes().items() if process}
        for process in found.values():
            _kill(process, signal.SIGTERM)
        until = time.monotonic() + 20
        while any(self.processes().values()) and time.monotonic() < until:
            time.sleep(0.2)
        for process in filter(None, self.processes().values()):
            _kill(process, signal.SIGKILL)
        for file in self.folder.glob("*.pid"):
            file.unlink()
        return list(found)


def _answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


def _kill(process: int, how: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):  # it has ended by itself meanwhile
        os.kill(process, how)


def _named(process: int) -> str:
    """A process by its id and its start: the system gives ids again."""
    return f"{process} {psutil.Process(process).create_time()}"


def _running(process: str, started: str) -> int:
    """The process if it is there and no zombie, else 0."""
    with contextlib.suppress(psutil.Error):
        found = psutil.Process(int(process))
        if str(found.create_time()) == started and found.status() != psutil.STATUS_ZOMBIE:
            return found.pid
    return 0
