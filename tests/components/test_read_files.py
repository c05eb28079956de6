"""Examples are read file by file: the same records, and each file a task of its own."""

from pathlib import Path

import apache_beam as beam
import pytest
import tensorflow as tf
from apache_beam.testing.util import assert_that, equal_to

from components import read_files

FILES = {"a-0": [b"1", b"2"], "a-1": [b"3"], "a-2": [], "b-0": [b"4"]}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, records in FILES.items():
        with tf.io.TFRecordWriter(str(tmp_path / f"{name}.gz"), "GZIP") as writer:
            for record in records:
                writer.write(record)
    return tmp_path


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [("*", [b"1", b"2", b"3", b"4"]), ("a-*", [b"1", b"2", b"3"]), ("a-2.gz", [])],
    ids=["all", "some", "an empty one"],
)
def test_the_records_of_a_pattern(folder: Path, pattern: str, expected: list[bytes]) -> None:
    with beam.Pipeline("BundleBasedDirectRunner") as pipeline:
        read = pipeline | read_files.ReadFiles(str(folder / pattern))
        assert_that(read, equal_to(expected))


def test_tfx_reads_so_and_others_do_not(folder: Path) -> None:
    from tfx_bsl.public import tfxio

    def transforms(pipeline: beam.Pipeline) -> str:
        source = tfxio.TFExampleRecord(str(folder / "*"), telemetry_descriptors=["test"])
        _ = pipeline | source.RawRecordBeamSource()
        return str(pipeline.to_runner_api())

    with read_files.dealt_out():
        inside = transforms(beam.Pipeline())
    assert "Reshuffle" in inside
    assert "Reshuffle" not in transforms(beam.Pipeline())
