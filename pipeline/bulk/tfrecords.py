"""tfrecord: serialized tf.train.Examples; the answers are further features, lists as JSON."""

import json
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import tensorflow as tf

from components.readers.rows import BadRow
from pipeline.bulk.columns import Answer
from pipeline.bulk.places import Place
from pipeline.bulk.records import Record, RowFormat
from trainer.errors import BadInput

_COUNTED = 1_000


class TfRecords(RowFormat):
    """A file of Examples, plain or gzipped. A row's line is the number of its record, from 1."""

    def names(self) -> list[str]:
        """Features of the first Example."""
        with self._damage_told(0):
            for first in self._dataset().take(1).as_numpy_iterator():
                return list(tf.train.Example.FromString(first).features.feature)
        raise BadInput("no record", where=str(self.path), fix="Is it a TFRecord file at all?")

    def places(self, every: int) -> Iterator[Place]:
        """As `RowFormat.places`, in one pass over the file."""
        rows = 0
        sizes = self._dataset().batch(_COUNTED).map(tf.size).as_numpy_iterator()
        while True:
            with self._damage_told(rows):
                size = int(next(sizes, 0))
            for row in range(rows + -rows % every, rows + size, every):
                yield Place(row, 0, row + 1)
            rows += size
            if not size:
                break
        yield Place(rows, 0, 0)

    @contextmanager
    def _damage_told(self, rows: int) -> Iterator[None]:
        try:
            yield
        except tf.errors.DataLossError as error:
            raise BadInput(
                f"a damaged record, or no TFRecord file at all ({error.message})",
                where=f"{self.path}: after record {rows}",
                fix="Write the file again.",
            ) from error

    def records(self, place: Place, count: int) -> Iterator[Record | BadRow]:
        """As `RowFormat.records`; records before them are skipped, unparsed."""
        chosen = self._dataset().skip(place.row).take(count)
        for line, serialized in enumerate(chosen.as_numpy_iterator(), start=place.line):
            found = self._record(serialized)
            yield BadRow(str(self.path), line, found) if isinstance(found, str) else found

    def _record(self, serialized: bytes) -> Record | str:
        try:
            example = tf.train.Example.FromString(serialized)
        except Exception as error:  # each protobuf has a DecodeError of its own
            return f"no tf.train.Example: {error}"
        features = example.features.feature
        if taken := next((column for column in self.added if column in features), None):
            return f"has `{taken}` already"
        texts = {}
        for name, column in self.texts.items():
            values = features[column].bytes_list.value if column in features else []
            if len(values) != 1:
                return f"`{column}` has {len(values)} values of bytes, not one"
            texts[name] = values[0]
        return Record(texts, example)

    def head(self) -> bytes:
        """As `RowFormat.head`."""
        return b""

    def line(self, record: Record, answer: Answer) -> bytes:
        """As `RowFormat.line`."""
        example = record.source
        for name, value in answer.items():
            example.features.feature[name].CopyFrom(_feature(value))
        return example.SerializeToString(deterministic=True)

    def writer(self, path: Path) -> AbstractContextManager[Any]:
        """As `RowFormat.writer`."""
        return tf.io.TFRecordWriter(str(path))

    def _dataset(self) -> tf.data.Dataset:
        packed = "GZIP" if self.path.suffix.lower() == ".gz" else ""
        return tf.data.TFRecordDataset(str(self.path), compression_type=packed)


def _feature(value: Any) -> tf.train.Feature:
    if isinstance(value, float):
        return tf.train.Feature(float_list=tf.train.FloatList(value=[value]))
    if isinstance(value, int):
        return tf.train.Feature(int64_list=tf.train.Int64List(value=[value]))
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return tf.train.Feature(bytes_list=tf.train.BytesList(value=[text.encode()]))
