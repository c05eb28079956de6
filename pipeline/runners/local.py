"""Runs a pipeline on this machine, one component after another, and tells what happens."""

import datetime
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import psutil
from ml_metadata.proto import metadata_store_pb2
from tfx.dsl.compiler import constants
from tfx.orchestration import metadata
from tfx.orchestration import pipeline as pipelines
from tfx.orchestration.local import local_dag_runner, runner_utils
from tfx.orchestration.portable import launcher, runtime_parameter_utils
from tfx.proto.orchestration import pipeline_pb2

from components import read_files
from pipeline.runners import beam_options

Tell = Callable[[str, "Stage"], None]


@dataclass
class Stage:
    """One component's turn.

    Attributes:
        name: the component's id.
        seconds: wall time.
        cached: whether an earlier run's outputs served.
        peak_mb: highest resident memory of the process and its children meanwhile.
    """

    name: str
    seconds: float = 0.0
    cached: bool = False
    peak_mb: float = 0.0
    started: float = field(default_factory=time.monotonic)


def run(pipeline: pipelines.Pipeline, tell: Tell) -> list[Stage]:
    """Runs all components in order; what one raises is raised here.

    Args:
        pipeline: with a metadata connection.
        tell: called with ``"started"``, ``"finished"`` or ``"failed"`` and the stage.

    Returns:
        The stages that ran.
    """
    runner = _TellingRunner(tell)
    runner.run(pipeline)
    return runner.stages


class _TellingRunner(local_dag_runner.LocalDagRunner):
    """TFX's local runner, which by itself tells of its progress to the log alone."""

    def __init__(self, tell: Tell) -> None:
        super().__init__()
        self._tell, self.stages = tell, []  # type: ignore[var-annotated]

    def run_with_ir(
        self,
        pipeline: pipeline_pb2.Pipeline,
        run_options: pipeline_pb2.RunOptions | None = None,
    ) -> None:
        """Launches the nodes one by one, as the standard local runner does."""
        if run_options:
            raise ValueError("partial runs are not supported here")
        run_id = datetime.datetime.now().isoformat()
        runtime_parameter_utils.substitute_runtime_parameter(
            pipeline, {constants.PIPELINE_RUN_ID_PARAMETER_NAME: run_id}
        )
        deployment = runner_utils.extract_local_deployment_config(pipeline)
        connection_config = deployment.metadata_connection_config
        connection = getattr(connection_config, connection_config.WhichOneof("connection_config"))
        for node in pipeline.nodes:
            node_id = node.pipeline_node.node_info.id
            one = launcher.Launcher(
                pipeline_node=node.pipeline_node,
                mlmd_connection=metadata.Metadata(connection),
                pipeline_info=pipeline.pipeline_info,
                pipeline_runtime_spec=pipeline.runtime_spec,
                executor_spec=runner_utils.extract_executor_spec(deployment, node_id),
                custom_driver_spec=runner_utils.extract_custom_driver_spec(deployment, node_id),
            )
            self._launch(node_id, one, metadata.Metadata(connection))

    def _launch(self, node_id: str, one: launcher.Launcher, store: metadata.Metadata) -> None:
        stage = Stage(node_id)
        self.stages.append(stage)
        self._tell("started", stage)
        how = "failed"
        try:
            with peak_memory(stage), beam_options.told_plainly(), read_files.dealt_out():
                execution = one.launch()
            stage.cached = is_cached(store, execution)
            how = "finished"
        finally:
            stage.seconds = time.monotonic() - stage.started
            self._tell(how, stage)


def is_cached(store: metadata.Metadata, execution: Any) -> bool:
    """Whether an execution, known by its ``execution_id``, used an earlier one's outputs."""
    if execution is None or not execution.execution_id:
        return False
    with store as open_store:
        [found] = open_store.store.get_executions_by_id([execution.execution_id])
    return found.last_known_state == metadata_store_pb2.Execution.CACHED


class peak_memory:  # noqa: N801 - a context manager that reads as a noun
    """Samples resident memory, children included, into a stage."""

    def __init__(self, stage: Stage, every_s: float = 0.25) -> None:
        self._stage, self._every_s = stage, every_s
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
            self._stage.peak_mb = max(self._stage.peak_mb, _resident(me) / 2**20)


def _resident(process: psutil.Process) -> int:
    total = 0
    for one in (process, *process.children(recursive=True)):
        try:
            total += one.memory_info().rss
        except psutil.Error:  # a child that has just ended
            continue
    return total
