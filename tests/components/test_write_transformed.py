"""Record batches to files: what is read back is what TFX's own writer would have written."""

from pathlib import Path
from typing import Any

import apache_beam as beam
import pyarrow as pa
import pytest
import tensorflow as tf
from google.protobuf import text_format
from tensorflow_metadata.proto.v0 import schema_pb2
from tfx.components.transform import executor as standard

from components import write_transformed
from pipeline.runners import beam_options

SCHEMA = text_format.Parse(
    """
    feature { name: "ids" type: INT }
    feature { name: "label" type: INT }
    tensor_representation_group { key: "" value {
      tensor_representation { key: "ids" value { varlen_sparse_tensor { column_name: "ids" } } }
      tensor_representation { key: "label" value { varlen_sparse_tensor { column_name: "label" } } }
    } }
    """,
    schema_pb2.Schema(),
)


def batch(*rows: list[int]) -> tuple[pa.RecordBatch, dict[str, Any]]:
    ids = pa.array(rows, pa.large_list(pa.int64()))
    labels = pa.array([[len(row)] for row in rows], pa.large_list(pa.int64()))
    return pa.RecordBatch.from_arrays([ids, labels], ["ids", "label"]), {}


def written(folder: Path, batches: list[Any]) -> list[tuple[list[int], list[int]]]:
    with write_transformed.by_batches():  # as the executor finds it
        write = standard.TransformProcessor()._EncodeAndWrite(
            schema=SCHEMA, file_format="tfrecords_gzip", output_path=str(folder / "rows")
        )
    options = beam.options.pipeline_options.PipelineOptions(beam_options.checked([]))
    with beam.Pipeline(options=options) as pipeline:
        _ = pipeline | beam.Create(batches, reshuffle=False) | write
    files = sorted(str(file) for file in folder.iterdir())
    assert files and all(file.endswith(".gz") for file in files)
    examples = map(
        tf.train.Example.FromString, tf.data.TFRecordDataset(files, "GZIP").as_numpy_iterator()
    )
    return [
        tuple(list(one.features.feature[name].int64_list.value) for name in ("ids", "label"))
        for one in examples
    ]


@pytest.mark.parametrize(
    ("batches", "rows"),
    [
        ([batch([1, 2], []), batch([3])], [([1, 2], [2]), ([], [0]), ([3], [1])]),
        ([], []),
    ],
    ids=["two batches", "no row"],
)
def test_what_is_read_back(tmp_path: Path, batches: list[Any], rows: list[Any]) -> None:
    assert sorted(written(tmp_path, batches)) == sorted(rows)


def test_tfx_has_its_own_again() -> None:
    usual = standard.TransformProcessor
    with pytest.raises(ZeroDivisionError), write_transformed.by_batches():
        assert standard.TransformProcessor is not usual
        _ = 1 / 0
    assert standard.TransformProcessor is usual
