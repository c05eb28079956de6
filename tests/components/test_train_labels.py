"""Labels in the order of tf.Transform's vocabularies, out of statistics that TFDV has made."""

from pathlib import Path

import pytest
import tensorflow as tf
import tensorflow_data_validation as tfdv
from tensorflow_metadata.proto.v0 import statistics_pb2

from components import train_labels

Statistics = statistics_pb2.DatasetFeatureStatistics


def statistics(folder: Path, labels: list[bytes], kept: int = 1000) -> Statistics:
    path = str(folder / "rows")
    with tf.io.TFRecordWriter(path) as file:
        for label in labels:
            value = tf.train.Feature(bytes_list=tf.train.BytesList(value=[label]))
            features = tf.train.Features(feature={"label": value})
            file.write(tf.train.Example(features=features).SerializeToString())
    options = tfdv.StatsOptions(use_sketch_based_topk_uniques=True, num_rank_histogram_buckets=kept)
    [found] = tfdv.generate_statistics_from_tfrecord(path, stats_options=options).datasets
    return found


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        ([b"a", b"b", b"b", b"c", b"c", b"c"], ["c", "b", "a"]),
        ([b"a", b"B", "\u00e9".encode(), "\u4e2d".encode()], ["\u4e2d", "\u00e9", "a", "B"]),
        ([b" a", b"a ", b"a ", b"a,b"], ["a ", "a,b", " a"]),
    ],
    ids=["by frequency", "equals by bytes, falling", "as they are"],
)
def test_order(tmp_path: Path, labels: list[bytes], expected: list[str]) -> None:
    assert train_labels.by_frequency(statistics(tmp_path, labels), "label") == expected


@pytest.mark.parametrize(
    ("labels", "kept", "column"),
    [
        ([b"a", b"b"], 1000, "other"),
        ([b"a", b"b", b"c"], 2, "label"),
        ([b"a", b"b\nc"], 1000, "label"),
        ([b"a", b""], 1000, "label"),
        ([b"a", b"\xff"], 1000, "label"),
        ([b"a", b"b" * 5000], 1000, "label"),
    ],
    ids=["no such column", "more than are kept", "a newline", "empty", "no UTF-8", "too long"],
)
def test_left_to_tf_transform(tmp_path: Path, labels: list[bytes], kept: int, column: str) -> None:
    assert train_labels.by_frequency(statistics(tmp_path, labels, kept), column) == []
