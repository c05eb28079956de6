"""When each component of a recipe's runs started and how long it took, by ML Metadata."""

from dataclasses import dataclass
from pathlib import Path

import ml_metadata as mlmd
from ml_metadata.proto import metadata_store_pb2 as pb

_STATES = {pb.Execution.COMPLETE: "done", pb.Execution.CACHED: "cached"}


@dataclass(frozen=True)
class Stage:
    """A component's turn: from its registration as running to its publication."""

    name: str
    state: str
    start: float  # seconds since the epoch
    seconds: float

    @property
    def end(self) -> float:
        """Seconds since the epoch."""
        return self.start + self.seconds


def runs(metadata_path: Path) -> list[list[Stage]]:
    """The stages of every run that ML Metadata knows, oldest run first, in order of start."""
    config = pb.ConnectionConfig()
    config.sqlite.filename_uri = str(metadata_path)
    config.sqlite.connection_mode = pb.SqliteMetadataSourceConfig.READONLY
    store = mlmd.MetadataStore(config)
    contexts = sorted(store.get_contexts_by_type("pipeline_run"), key=lambda one: one.id)
    return [_stages(store, context.id) for context in contexts]


def _stages(store: mlmd.MetadataStore, run: int) -> list[Stage]:
    executions = sorted(store.get_executions_by_context(run), key=lambda one: one.id)
    return [_stage(store, execution) for execution in executions]


def _stage(store: mlmd.MetadataStore, execution: pb.Execution) -> Stage:
    contexts = store.get_contexts_by_execution(execution.id)
    node = next(context.name for context in contexts if context.type == "node")
    start = execution.create_time_since_epoch / 1000
    return Stage(
        name=node.split(".", 1)[1],
        state=_STATES.get(execution.last_known_state, "failed"),
        start=start,
        seconds=execution.last_update_time_since_epoch / 1000 - start,
    )
