"""The work of TextExampleGen: a Beam element per file, written as it is read.

Nothing but counts and 13 bytes a row travels between Beam's stages, so memory stays flat in
Beam's in-process runners, which keep such collections, and files are read in parallel where
there are workers. Shards are named after the file they come from: one input, one output.
"""

import json
from typing import Any

import apache_beam as beam
import tensorflow as tf
from tfx import types
from tfx.components.util import examples_utils
from tfx.dsl.components.base import base_beam_executor
from tfx.proto import example_gen_pb2
from tfx.types import artifact_utils

from components import data_report, sources
from components.data_report import DataReport
from components.splits import SPLITS, given_files
from components.tag_set import refuse_entities
from components.write_examples import (
    Item,
    WriteItem,
    copies,
    items_of,
    split_folder,
    with_scheme,
    write_report,
)


class Executor(base_beam_executor.BaseBeamExecutor):
    """Runs the Beam pipeline, then raises what the report has against the data."""

    def Do(  # noqa: N802 - TFX's name
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Writes the splits and the report.

        Raises:
            BadInput: a file that cannot be used, too many bad rows, a split without rows, or
                tagged data without an entity in train.
        """
        self._log_startup(input_dict, output_dict, exec_properties)
        examples = artifact_utils.get_single_instance(output_dict["examples"])
        data = json.loads(exec_properties["data"])
        data["path"] = _located(exec_properties.get("path") or data["path"])
        files = given_files(data["path"], data.get("format"))
        data = with_scheme(data, files)
        for split in SPLITS:
            tf.io.gfile.makedirs(split_folder(examples.uri, split))
        report_path = f"{examples.uri}/{data_report.FILE_NAME}"
        with self._make_beam_pipeline() as pipeline:
            items = items_of(files, data.get("format"))
            work = WriteItem(examples.uri, data, list(files))
            _count_all(pipeline, items, work) | "Report" >> beam.Map(write_report, report_path)
        with tf.io.gfile.GFile(report_path) as stream:
            report = DataReport.from_json(stream.read())
        report.refuse(exec_properties["bad_rows"])
        if data.get("task") == "tag":
            refuse_entities(report, with_types=False)  # types are for the schema to judge
        _describe(examples)


def _located(path: Any) -> Any:
    """A recipe's path with every source brought to this machine."""
    if isinstance(path, str):
        return _located(json.loads(path)) if path.startswith("{") else sources.localized(path)
    if isinstance(path, dict):
        return {split: _located(one) for split, one in path.items()}
    return path


def _count_all(pipeline: beam.Pipeline, items: list[Item], work: WriteItem) -> Any:
    """The whole data's report, as a collection of one."""
    done = (
        pipeline
        | "Files" >> beam.Create(items)
        | "Spread" >> beam.Reshuffle()
        | "Write" >> beam.ParDo(work).with_outputs("texts", main="reports")
    )
    counted = done.texts | "ByText" >> beam.GroupByKey() | "Copies" >> beam.Map(copies)
    both = (done.reports, counted) | "All" >> beam.Flatten()
    return both | "Sum" >> beam.CombineGlobally(data_report.merged)


def _describe(examples: types.Artifact) -> None:
    examples.split_names = artifact_utils.encode_split_names(list(SPLITS))
    examples.span = 0
    examples_utils.set_payload_format(examples, example_gen_pb2.FORMAT_TF_EXAMPLE)
    examples_utils.set_file_format(examples, "tfrecords_gzip")
