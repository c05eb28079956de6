"""Records are read file by file, by whichever worker is free.

Beam's own source of records splits itself, and Flink and Spark give all parts of it to the worker
that split it: the others have nothing to do until rows are grouped. File names, which are dealt out
first, go to all.
"""

from contextlib import AbstractContextManager
from typing import Any

import apache_beam as beam

from components.swapped import swapped


class ReadFiles(beam.PTransform):
    """Pipeline ▶ the records of all files of a pattern, as ``beam.io.ReadFromTFRecord``."""

    def __init__(self, file_pattern: str, coder: Any = None) -> None:
        super().__init__()
        self._pattern, self._coder = file_pattern, coder or beam.coders.BytesCoder()

    def expand(self, pipeline: beam.Pipeline) -> Any:  # noqa: D102 - Beam's
        read = beam.io.ReadAllFromTFRecord(coder=self._coder)
        return pipeline | beam.Create([self._pattern]) | read


def dealt_out() -> AbstractContextManager[None]:
    """What TFX composes inside reads its Examples so; for those who launch executors."""
    return swapped(beam.io, "ReadFromTFRecord", ReadFiles)
