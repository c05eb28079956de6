"""The Evaluator's own executor on a model and rows, and what it said."""

import json
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import tensorflow as tf
from tfx.dsl.components.base.base_beam_executor import BaseBeamExecutor
from tfx.types import standard_artifacts
from tfx.utils import json_utils, proto_utils

from components.evaluator import Executor
from pipeline import outcome
from pipeline.run_record import Component, Output


class Judgement:
    """What the Evaluator says: blessed or not, compared with what, results by slice."""

    def __init__(self, blessing: Any, evaluation: Any) -> None:
        said = {"blessed": blessing.get_int_custom_property("blessed")}
        said["baseline"] = blessing.get_string_custom_property("baseline")
        outputs = {
            "blessing": [Output(blessing.uri, said)],
            "evaluation": [Output(evaluation.uri, {})],
        }
        read = outcome.read({"Evaluator": Component("done", outputs)})
        self.blessed, self.baseline = read.blessed, read.baseline
        self.slices = {one.slice: one for one in read.slices}
        self.value = {one.slice: one.value for one in read.slices}
        self.failed = {one.slice for one in read.slices if one.failures}


def judge(
    folder: Path,
    config: Any,
    rows: Iterable[tf.train.Example],
    model: Path,
    baseline: Path | None = None,
) -> Judgement:
    """Runs the executor in an empty folder.

    Args:
        folder: gets the artifacts.
        config: TFMA's EvalConfig.
        rows: the test split.
        model: a SavedModel's folder.
        baseline: another, blessed before.
    """
    inputs = {
        "examples": [_examples(folder / "examples", rows)],
        "model": [model_artifact(folder / "model", model)],
    }
    if baseline:
        inputs["baseline_model"] = [model_artifact(folder / "baseline", baseline)]
    blessing = artifact(standard_artifacts.ModelBlessing, folder / "blessing")
    evaluation = artifact(standard_artifacts.ModelEvaluation, folder / "evaluation")
    context = BaseBeamExecutor.Context(tmp_dir=str(folder / "temp"), unique_id="1")
    Executor(context).Do(
        inputs,
        {"blessing": [blessing], "evaluation": [evaluation]},
        {
            "eval_config": proto_utils.proto_to_json(config),
            "example_splits": json_utils.dumps(["test"]),
        },
    )
    return Judgement(blessing, evaluation)


def artifact(kind: Any, folder: Path) -> Any:
    made = kind()
    made.uri = str(folder)
    return made


def model_artifact(folder: Path, model: Path) -> Any:
    shutil.copytree(model, folder / "Format-Serving")
    return artifact(standard_artifacts.Model, folder)


def _examples(folder: Path, rows: Iterable[tf.train.Example]) -> Any:
    examples = artifact(standard_artifacts.Examples, folder)
    examples.split_names = json.dumps(["test"])
    examples.set_string_custom_property("payload_format", "FORMAT_TF_EXAMPLE")
    file = folder / "Split-test" / "data.gz"
    file.parent.mkdir(parents=True)
    with tf.io.TFRecordWriter(str(file), "GZIP") as writer:
        for row in rows:
            writer.write(row.SerializeToString())
    return examples
