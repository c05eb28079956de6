"""Runs a pipeline on this machine, one component after another, and tells what happens."""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import psutil
from tfx import v1 as tfx

Tell = Callable[[str, "Stage"], None]


@dataclass
class Stage:
    """One component's turn.

    Attributes:
        name: the component's id.
        seconds: wall time; cached components take a moment.
        peak_mb: highest resident memory of the process and its children meanwhile.
    """

    name: str
    seconds: float = 0.0
    peak_mb: float = 0.0
    started: float = field(default_factory=time.monotonic)


def run(pipeline: tfx.dsl.Pipeline, tell: Tell) -> list[Stage]:
    """Runs all components in order; what one raises is raised here.

    Args:
        pipeline: with a metadata connection.
        tell: called with ``"started"`` or ``"finished"`` and the stage.

    Returns:
        The stages that ran.
    """
    stages = _Stages(tell)
    logger = logging.getLogger("absl")
    logger.addHandler(stages)
    level = logger.level
    logger.setLevel(min(level or logging.INFO, logging.INFO))
    try:
        with _peak_memory(stages):
            tfx.orchestration.LocalDagRunner().run(pipeline)
    finally:
        logger.removeHandler(stages)
        logger.setLevel(level)
        stages.close_open()
    return stages.done


class _Stages(logging.Handler):
    """Learns of a component's start and end from the local runner's own log records."""

    def __init__(self, tell: Tell) -> None:
        super().__init__(logging.INFO)
        self._tell, self.open, self.done = tell, None, []  # type: ignore[var-annotated]

    def emit(self, record: logging.LogRecord) -> None:
        if record.msg == "Component %s is running.":
            self.open = Stage(str(record.args[0]))  # type: ignore[index]
            self._tell("started", self.open)
        elif record.msg == "Component %s is finished." and self.open:
            self._finish("finished")

    def close_open(self) -> None:
        """Ends the stage that an error or Ctrl-C cut off."""
        if self.open:
            self._finish("failed")

    def _finish(self, how: str) -> None:
        stage, self.open = self.open, None
        stage.seconds = time.monotonic() - stage.started
        self.done.append(stage)
        self._tell(how, stage)


class _peak_memory:  # noqa: N801 - a context manager that reads as a noun
    """Samples resident memory, children included, and credits the stage that is open."""

    def __init__(self, stages: _Stages, every_s: float = 0.25) -> None:
        self._stages, self._every_s = stages, every_s
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._sample, daemon=True)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _sample(self) -> None:
        me = psutil.Process()
        while not self._stop.wait(self._every_s):
            if stage := self._stages.open:
                stage.peak_mb = max(stage.peak_mb, _resident(me) / 2**20)


def _resident(process: psutil.Process) -> int:
    total = 0
    for one in (process, *process.children(recursive=True)):
        try:
            total += one.memory_info().rss
        except psutil.Error:  # a child that has just ended
            continue
    return total
