"""One Beam element per group of files: read, judged, written as it is read.

Apart from the executor, since a Beam worker imports this and need not wait for all of TFX.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any

import apache_beam as beam
import tensorflow as tf
from apache_beam.io.filesystems import FileSystems

from components.data_report import DataReport
from components.readers import Row, format_of
from components.readers.detect_scheme import scheme_of
from components.readers.select import Selection
from components.sift import sift
from components.text_counts import Entry, count, partitions
from trainer import span_columns
from trainer.errors import BadInput

ROWS_PER_SHARD = 25_000  # so that what comes next can read a large file's rows in parallel
_TEXTS_PER_ITEM = 500  # where a file is a text
_ENTRIES = 65_536
_LEVEL = 1  # of gzip: an eighth of the default's time for a fifth more bytes

Item = tuple[int, str, list[str]]  # number, split, files


class ShardWriter:
    """Writes rows of one item as tf.train.Example, a run of gzipped shards per split."""

    def __init__(self, uri: str, item: int):
        self._uri, self._item = uri, item
        self._open: dict[str, tf.io.TFRecordWriter] = {}
        self._rows: dict[str, int] = {}

    def __enter__(self) -> "ShardWriter":
        return self

    def __exit__(
        self, kind: type | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for writer in self._open.values():
            writer.close()

    def write(self, split: str, row: Row) -> None:
        """Writes one row, into the next shard where one is full."""
        rows = self._rows.get(split, 0)
        if rows % ROWS_PER_SHARD == 0:
            self._next_shard(split, rows // ROWS_PER_SHARD)
        self._rows[split] = rows + 1
        self._open[split].write(to_example(row).SerializeToString(deterministic=True))

    def _next_shard(self, split: str, part: int) -> None:
        if split in self._open:
            self._open[split].close()
        folder = split_folder(self._uri, split)
        name = f"{folder}/data_tfrecord-{self._item:05d}-{part:05d}.gz"
        options = tf.io.TFRecordOptions("GZIP", compression_level=_LEVEL)
        self._open[split] = tf.io.TFRecordWriter(name, options)


def split_folder(uri: str, split: str) -> str:
    """The folder of a split in an Examples artifact, as TFX lays it out."""
    return f"{uri}/Split-{split}"


def to_example(row: Row) -> tf.train.Example:
    """The row's columns as bytes features; an absent value is an absent feature.

    Of tagged rows also the `span_columns`.
    """
    features = {name: _texts([value]) for name, value in row.values.items()}
    if row.spans:
        features |= {
            span_columns.SPAN_STARTS: _offsets(row.spans.starts),
            span_columns.SPAN_ENDS: _offsets(row.spans.ends),
            span_columns.SPAN_TYPES: _texts(row.spans.types),
            span_columns.WORD_STARTS: _offsets(row.spans.word_starts),
            span_columns.WORD_ENDS: _offsets(row.spans.word_ends),
        }
    return tf.train.Example(features=tf.train.Features(feature=features))


def _texts(values: list[str]) -> tf.train.Feature:
    encoded = [value.encode() for value in values]
    return tf.train.Feature(bytes_list=tf.train.BytesList(value=encoded))


def _offsets(values: list[int]) -> tf.train.Feature:
    return tf.train.Feature(int64_list=tf.train.Int64List(value=values))


class WriteItem(beam.DoFn):
    """Item ▶ shards on disk; yields a report, and packed entries tagged ``texts``.

    A BadInput goes into the report: raised here, the runner would wrap it beyond recognition.
    """

    def __init__(self, uri: str, data: dict[str, Any], given: list[str]):
        self._uri, self._data, self._given = uri, data, given

    def process(self, item: Item) -> Iterator[Any]:  # noqa: D102 - Beam's
        number, split, files = item
        report, waiting = DataReport(), list[Entry]()
        with ShardWriter(self._uri, number) as shards:
            for file in files:
                for chosen, row, entry in self._rows(file, split, report):
                    shards.write(chosen, row)
                    waiting.append(entry)
                    if len(waiting) == _ENTRIES:
                        yield from _packed(waiting)
        yield from _packed(waiting)
        yield report

    def _rows(self, file: str, split: str, report: DataReport) -> Iterator[tuple[str, Row, Entry]]:
        selection, format = selection_of(self._data), self._data.get("format")
        try:
            for chosen, row, entry in sift(file, split, selection, self._given, report, format):
                yield chosen, _only(row, selection.columns), entry
        except BadInput as error:
            report.add_error(error)


def _packed(waiting: list[Entry]) -> Iterator[Any]:
    yield from (beam.pvalue.TaggedOutput("texts", part) for part in partitions(waiting))
    waiting.clear()


def _only(row: Row, columns: tuple[str, ...]) -> Row:
    return row._replace(values={name: row.values[name] for name in columns if name in row.values})


def selection_of(data: dict[str, Any]) -> Selection:
    """The component's JSON as a Selection."""
    return Selection.of(
        data["text"],
        data.get("label"),
        data.get("keep"),
        data.get("columns", ()),
        data.get("rename"),
        data.get("tags") or {} if data.get("task") == "tag" else None,
    )


def with_scheme(data: dict[str, Any], files: dict[str, list[Path]]) -> dict[str, Any]:
    """The component's JSON with the scheme of its tags, which is found out if it is not there.

    Raises:
        BadInput: tags of no known scheme, or of several.
    """
    tagged = selection_of(data).tagged
    if tagged is None or tagged.scheme:
        return data
    every_file = [path for paths in files.values() for path in paths]
    scheme = scheme_of(every_file, data.get("format"), tagged)
    return {**data, "tags": {**(data.get("tags") or {}), "scheme": scheme}}


def items_of(files: dict[str, list[Path]], format: str | None) -> list[Item]:
    """Work for Beam: a file an item, texts that are files by the 500."""
    groups = []
    for split, paths in files.items():
        size = _TEXTS_PER_ITEM if format_of(paths[0], format) == "txt" else 1
        names = [str(path) for path in paths]
        groups += [(split, names[i : i + size]) for i in range(0, len(names), size)]
    return [(number, split, names) for number, (split, names) in enumerate(groups)]


def copies(part: tuple[int, Iterable[bytes]]) -> DataReport:
    """What one partition of the packed entries adds to the report."""
    report = DataReport()
    report.add_counts(count(part[1]))
    return report


def write_report(report: DataReport, path: str) -> None:
    """Writes the whole data's report."""
    with FileSystems.create(path) as stream:
        stream.write(report.to_json().encode())
