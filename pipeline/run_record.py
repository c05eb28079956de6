"""What ML Metadata and the artifacts say of a pipeline's latest run."""

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import ml_metadata as mlmd
from ml_metadata.proto import metadata_store_pb2 as pb

_OUTPUTS = (pb.Event.OUTPUT, pb.Event.DECLARED_OUTPUT, pb.Event.INTERNAL_OUTPUT)
_STATES = {
    pb.Execution.COMPLETE: "done",
    pb.Execution.CACHED: "cached",
    pb.Execution.FAILED: "failed",
    pb.Execution.RUNNING: "cut off",
}


@dataclass
class Output:
    """An artifact.

    Attributes:
        uri: its folder.
        properties: its custom properties.
    """

    uri: str
    properties: dict[str, Any]


@dataclass
class Component:
    """One component's turn in a run: ``done``, ``cached``, ``failed`` or ``cut off``.

    Attributes:
        outputs: artifacts by key.
        parameters: what the component was composed with; of those that it keeps.
    """

    state: str
    outputs: dict[str, list[Output]] = field(default_factory=dict)
    parameters: dict[str, Any] = field(default_factory=dict)

    def folder(self, key: str) -> Path:
        """The folder of the only artifact of an output."""
        return Path(self.outputs[key][0].uri)


def latest_run(metadata_path: str, pipeline_name: str) -> dict[str, Component]:
    """The components of a pipeline's latest run by id.

    Args:
        metadata_path: SQLite file of ML Metadata.
        pipeline_name: the recipe's name.

    Returns:
        Nothing where the store was never filled: a run that met a full disk leaves it empty.
    """
    if not os.path.getsize(metadata_path):
        return {}
    config = pb.ConnectionConfig()
    config.sqlite.filename_uri = metadata_path
    config.sqlite.connection_mode = pb.SqliteMetadataSourceConfig.READONLY
    store = mlmd.MetadataStore(config)
    pipeline = store.get_context_by_type_and_name("pipeline", pipeline_name)
    runs = [
        context
        for context in store.get_contexts_by_type("pipeline_run")
        if pipeline and pipeline.id in {parent.id for parent in _parents(store, context)}
    ]
    if not runs:
        return {}
    newest = max(runs, key=lambda context: context.id)
    return dict(_components(store, newest, pipeline_name))


def _parents(store: mlmd.MetadataStore, context: pb.Context) -> list[pb.Context]:
    executions = store.get_executions_by_context(context.id)[:1]
    return [c for e in executions for c in store.get_contexts_by_execution(e.id)]


def _components(
    store: mlmd.MetadataStore, run: pb.Context, pipeline_name: str
) -> Iterator[tuple[str, Component]]:
    for execution in sorted(store.get_executions_by_context(run.id), key=lambda e: e.id):
        nodes = [
            context.name.removeprefix(f"{pipeline_name}.")
            for context in store.get_contexts_by_execution(execution.id)
            if context.type == "node"
        ]
        component = Component(_STATES.get(execution.last_known_state, "unknown"))
        component.parameters = _values(execution.custom_properties)
        for event in store.get_events_by_execution_ids([execution.id]):
            if event.type in _OUTPUTS and event.path.steps:
                [artifact] = store.get_artifacts_by_id([event.artifact_id])
                component.outputs.setdefault(event.path.steps[0].key, []).append(output(artifact))
        yield nodes[0], component


def output(artifact: pb.Artifact) -> Output:
    """An artifact of ML Metadata's."""
    return Output(artifact.uri, _values(artifact.custom_properties))


def _values(properties: Any) -> dict[str, Any]:
    return {
        name: _plain(getattr(value, value.WhichOneof("value")))
        for name, value in properties.items()
        if value.WhichOneof("value")
    }


def _plain(value: Any) -> Any:
    """TFX wraps some strings in JSON."""
    if isinstance(value, str) and value.startswith('"'):
        try:
            return json.loads(value)
        except json.JSONDecodeError:
            return value
    return value
