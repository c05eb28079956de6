"""Pipelines of real components on a real metadata store."""

import contextlib
import tempfile
from pathlib import Path

import pytest


@pytest.fixture
def run_pipeline(tmp_path):
    """Runs components under LocalDagRunner; gives the store's executions by node and state."""

    def run(components, beam_args=()):
        from ml_metadata.metadata_store import metadata_store
        from ml_metadata.proto import metadata_store_pb2
        from tfx.orchestration import metadata
        from tfx.orchestration.local.local_dag_runner import LocalDagRunner
        from tfx.orchestration.pipeline import Pipeline

        from pipeline.runners import beam_options

        database = str(tmp_path / "metadata.sqlite")
        config = metadata.sqlite_metadata_connection_config(database)
        pipeline = Pipeline(
            pipeline_name="data",
            pipeline_root=str(tmp_path / "root"),
            components=components,
            enable_cache=True,
            metadata_connection_config=config,
            beam_pipeline_args=beam_options.checked(beam_args),
        )
        error = None
        try:
            LocalDagRunner().run(pipeline)
        except ValueError as raised:
            error = raised
        store = metadata_store.MetadataStore(config)
        state = metadata_store_pb2.Execution.State.Name
        executions = sorted(store.get_executions(), key=lambda execution: execution.id)
        kinds = {kind.id: kind.name.split(".")[-1] for kind in store.get_execution_types()}
        states = [(kinds[e.type_id], state(e.last_known_state)) for e in executions]
        return states, error

    return run


@pytest.fixture
def served_here(monkeypatch):
    """Models on trial get a server in this process: where only their answers are in question."""
    from serving.server.main import start
    from serving.validation import hermetic

    @contextlib.contextmanager
    def served_copy(model):
        with tempfile.TemporaryDirectory() as folder:
            base = Path(folder, "model")
            hermetic.copy(model, base / "1")
            with start(base, name="model", port=0, rest_port=None) as server:
                yield server

    monkeypatch.setattr(hermetic, "served_copy", served_copy)


@pytest.fixture
def newest(tmp_path):
    """Folder of a component's newest output: newest("TextExampleGen", "examples")."""

    def find(component, output):
        folder = tmp_path / "root" / component / output
        return max(folder.iterdir(), key=lambda child: int(child.name))

    return find
