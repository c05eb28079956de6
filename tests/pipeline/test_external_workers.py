"""Beam workers outside this process, which nobody has prepared: no hang, no unregistered op.

The classic trap is a worker that loads a graph with TensorFlow Text's ops before anybody has
imported the library. Nothing of ours relies on somebody else's import; a worker that lacks the
library, or the project, is told as that.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from beam_workers import external_workers, features
from runs import Project

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def external(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[str]]:
    with external_workers(tmp_path_factory.mktemp("workers")) as arguments:
        yield arguments


@pytest.fixture(autouse=True)
def no_flags_of_pytest(monkeypatch: pytest.MonkeyPatch) -> None:
    """TFX's executors read flags from the command line: -v is a number to them."""
    monkeypatch.setattr("sys.argv", ["rawbert"])


def context(folder: Path, beam_args: list[str]) -> Any:
    from tfx.dsl.components.base.base_beam_executor import BaseBeamExecutor

    return BaseBeamExecutor.Context(
        beam_pipeline_args=beam_args, tmp_dir=str(folder / "temp"), unique_id="1"
    )


def texts_read(project: Project, folder: Path, beam_args: list[str]) -> Path:
    """TextExampleGen's executor as in a run; gives the folder of its Examples."""
    from judging import artifact
    from tfx.types import standard_artifacts as kinds

    from components.text_example_gen_executor import Executor

    examples = artifact(kinds.Examples, folder / "read")
    settings = project.first.components["TextExampleGen"].parameters
    Executor(context(folder, beam_args)).Do({}, {"examples": [examples]}, settings)
    return folder / "read"


def transform(project: Project, folder: Path, beam_args: list[str]) -> Path:
    """Transform's executor on what a run has read; gives the folder of its Examples."""
    from judging import artifact
    from tfx.types import standard_artifacts as kinds

    from components.transform import Executor

    read = project.first.components["TextExampleGen"].outputs["examples"][0]
    examples = artifact(kinds.Examples, Path(read.uri))
    examples.split_names = json.dumps(["train", "eval", "test"])
    for name in ("payload_format", "file_format"):
        examples.set_string_custom_property(name, read.properties[name])
    config = {"task": "classify", "text": "text", "label": "category", "max_tokens": 16}
    Executor(context(folder, beam_args)).Do(
        {
            "examples": [examples],
            "schema": [artifact(kinds.Schema, project.artifact("SchemaGen", "schema"))],
            "encoder": [artifact(kinds.Model, project.artifact("EncoderImporter", "model"))],
        },
        {
            "transform_graph": [artifact(kinds.TransformGraph, folder / "graph")],
            "transformed_examples": [artifact(kinds.Examples, folder / "examples")],
        },
        {
            "preprocessing_fn": "trainer.preprocessing.preprocessing_fn",
            "custom_config": json.dumps(config),
            "force_tf_compat_v1": 0,
            "disable_statistics": 1,
        },
    )
    return folder / "examples"


def test_texts_are_read_the_same_there(
    pushed: Project, external: list[str], tmp_path: Path
) -> None:
    from pipeline.runners import beam_options

    there = texts_read(pushed, tmp_path, beam_options.checked(external))
    for split in ("train", "eval", "test"):
        rows = features(there, split)
        assert rows == features(pushed.artifact("TextExampleGen", "examples"), split)
        assert rows


def test_transform_is_the_same_there(pushed: Project, external: list[str], tmp_path: Path) -> None:
    from pipeline.runners import beam_options

    here = pushed.artifact("Transform", "transformed_examples")
    there = transform(pushed, tmp_path, beam_options.checked(external))
    for split in ("train", "eval", "test"):
        rows = features(there, split)
        assert rows == features(here, split)
        assert rows
    labels = "transform_fn/assets/labels"
    graph = pushed.artifact("Transform", "transform_graph")
    assert (tmp_path / "graph" / labels).read_text() == (graph / labels).read_text()


def run_graph(graph: Path, folder: Path, beam_args: list[str]) -> list[Path]:
    """A job that runs a finished transform graph and nothing of ours; gives the files it writes."""
    import apache_beam as beam
    import tensorflow_transform as tft
    from apache_beam.options.pipeline_options import PipelineOptions
    from tensorflow_transform import beam as tft_beam

    metadata = tft.TFTransformOutput(str(graph)).raw_metadata
    rows = [{"text": text, "category": "fresh"} for text in ("A bright film.", "Dull.")]
    with (
        beam.Pipeline(options=PipelineOptions(beam_args)) as pipeline,
        tft_beam.Context(temp_dir=str(folder / "temp")),
    ):
        graph_there = pipeline | tft_beam.ReadTransformFn(str(graph))
        dataset = (pipeline | beam.Create(rows), metadata)
        transformed, _ = (dataset, graph_there) | tft_beam.TransformDataset()
        _ = transformed | beam.Map(str) | beam.io.WriteToText(str(folder / "rows"))
    return sorted(folder.glob("rows-*"))


@pytest.mark.parametrize("ours", [False, True], ids=["tf.Transform's way", "ours"])
def test_a_worker_whose_first_task_is_the_graph(
    ours: bool, pushed: Project, tmp_path: Path
) -> None:
    from components import graph_in_workers
    from pipeline.runners import beam_options

    graph = pushed.artifact("Transform", "transform_graph")
    with external_workers(tmp_path) as arguments:
        given = beam_options.checked(arguments)
        if not ours:
            with pytest.raises(RuntimeError, match="Op type not registered"):
                run_graph(graph, tmp_path, given)
            return
        with graph_in_workers.with_text_ops():
            written = run_graph(graph, tmp_path, given)
    assert "input_word_ids" in "".join(file.read_text() for file in written)


def bulk(folder: Path, out: str, model: Path, beam_args: list[str]) -> Path:
    from pipeline.bulk.run import predict_bulk

    source = folder / "in.jsonl"
    texts = ["A bright, warm film.", "", "Dull, cold and stale."] * 10
    source.write_text("".join(json.dumps({"text": text}) + "\n" for text in texts))
    return predict_bulk(
        source, folder / out, model, shard_rows=7, beam_args=beam_args
    ).files[0]  # fmt: skip


def test_bulk_answers_are_the_same_there(
    pushed: Project, external: list[str], tmp_path: Path
) -> None:
    there, here = (
        bulk(tmp_path, name, pushed.model, arguments).read_text()
        for name, arguments in (("there.jsonl", external), ("here.jsonl", []))
    )
    assert there == here


@pytest.mark.parametrize("package", ["tensorflow_text", "pipeline"])
def test_a_worker_without(package: str, pushed: Any, tmp_path: Path) -> None:
    from trainer.errors import BadInput

    with (
        external_workers(tmp_path, package) as arguments,
        pytest.raises(BadInput, match=f"worker has no package '{package}'"),
    ):
        bulk(tmp_path, "out.jsonl", pushed.model, arguments)
