"""Runs a command as a user does, and samples memory and load beside it."""

import json
import os
import subprocess
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path

import psutil

_EVERY_S = 0.25


@dataclass
class Watched:
    """One command's run.

    Attributes:
        started: seconds since the epoch.
        seconds: wall time.
        returncode: the command's.
        load: the machine's one-minute load average, sampled.
        memory: (seconds since the epoch, MB resident of the command and its children).
    """

    started: float
    seconds: float = 0.0
    returncode: int = -1
    load: list[float] = field(default_factory=list)
    memory: list[tuple[float, float]] = field(default_factory=list)

    def peak_mb(self, start: float, end: float) -> float | None:
        """The highest sample between two moments; None if there is none."""
        return max((mb for at, mb in self.memory if start <= at <= end), default=None)

    def save(self, path: Path) -> None:
        """Writes it as JSON."""
        path.write_text(json.dumps(asdict(self)))

    @classmethod
    def load_from(cls, path: Path) -> "Watched":
        """Reads what `save` wrote."""
        return cls(**json.loads(path.read_text()))


def watch(command: list[str], log: Path) -> Watched:
    """Runs a command to its end.

    Args:
        command: with its arguments.
        log: takes what it prints.
    """
    watched = Watched(time.time())
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT)
        while process.poll() is None:
            watched.memory.append((time.time(), _resident_mb(process.pid)))
            watched.load.append(os.getloadavg()[0])
            time.sleep(_EVERY_S)
    watched.seconds = time.time() - watched.started
    watched.returncode = process.returncode
    return watched


def _resident_mb(pid: int) -> float:
    """Shared pages are counted in every process that has them, so this errs upwards."""
    total = 0
    try:
        root = psutil.Process(pid)
        for one in (root, *root.children(recursive=True)):
            total += one.memory_info().rss
    except psutil.Error:  # one that has just ended
        pass
    return total / 2**20
