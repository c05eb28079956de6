"""A worker's part: a shard in, its rows with answers in a file.

A worker imports this module alone: neither TFX nor the command line. It loads the model through the
server's own loader, which registers its ops; one can not be missing that serving has.
"""

import json
import time
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import IO, Any

import apache_beam as beam
import tensorflow as tf

from components.readers.rows import BadRow
from pipeline.bulk import columns
from pipeline.bulk.formats import row_format
from pipeline.bulk.records import Record
from pipeline.bulk.work import Plan, Shard, Work
from serving import tensors
from serving.errors import NotAModel, ServingError
from serving.server import inference
from serving.server.servable import Servable
from trainer.errors import BadInput

_TELL_SECONDS = 0.5  # a file written anew for every batch costs as much as a sixth of the answers


@lru_cache(maxsize=1)
def load(folder: str) -> Servable:
    """The model, loaded once in a process, whatever the number of shards and threads."""
    return Servable(folder)


class AnswerShard(beam.DoFn):
    """Asks the model about a shard's rows and writes them; gives nothing on.

    A failure that says enough is left in the work folder: raised here, a runner would wrap it
    beyond recognition, try it again, and stop the other shards.

    Args:
        work: the run's folder, which all workers see.
        batch_size: texts the model gets at once.
    """

    def __init__(self, work: str, batch_size: int) -> None:
        self._work, self._batch_size = work, batch_size

    def process(self, number: int) -> Iterator[Any]:  # noqa: D102 - Beam's
        work = Work(Path(self._work))
        plan = work.plan()
        shard = plan.shards[number]
        try:
            answer(work, plan, shard, self._batch_size)
        except (BadInput, NotAModel, ServingError, OSError) as error:
            work.failed(shard, type(error).__name__, str(error))
        yield from ()


def answer(work: Work, plan: Plan, shard: Shard, batch_size: int) -> None:
    """Reads, asks and writes one shard."""
    path, format, *_ = plan.files[shard.file]
    rows = row_format(Path(path), format, plan.texts, plan.columns)
    model = load(plan.model[0])
    drafts = work.draft(shard, "rows"), work.draft(shard, "rejected")
    counts, due = {"rows": 0, "rejected": 0}, 0.0
    try:
        with rows.writer(drafts[0]) as out, drafts[1].open("w", encoding="utf-8") as rejected:
            for batch in _batches(rows.records(shard.place, shard.rows), batch_size):
                good = [record for record in batch if isinstance(record, Record)]
                for record, told in zip(good, ask(model, good), strict=True):
                    out.write(rows.line(record, told))
                _reject(rejected, batch)
                counts["rows"] += len(good)
                counts["rejected"] += len(batch) - len(good)
                if time.monotonic() > due:
                    work.of(shard, "answered").write_text(str(sum(counts.values())))
                    due = time.monotonic() + _TELL_SECONDS
        work.done(shard, *drafts, counts)
    finally:
        for draft in (*drafts, work.of(shard, "answered")):
            draft.unlink(missing_ok=True)


def ask(model: Servable, records: Sequence[Record]) -> list[columns.Answer]:
    """The model's answer to each record, through the signature for tf.Examples."""
    if not records:
        return []
    signature = model.signatures[columns.SIGNATURE]
    [name] = signature.inputs
    inputs = {name: tensors.strings([_example(record) for record in records])}
    outputs = columns.wanted(signature.outputs)
    return columns.answers(inference.predict(model, columns.SIGNATURE, inputs, outputs))


def _example(record: Record) -> bytes:
    features = {
        name: tf.train.Feature(bytes_list=tf.train.BytesList(value=[_bytes(text)]))
        for name, text in record.texts.items()
    }
    return tf.train.Example(features=tf.train.Features(feature=features)).SerializeToString()


def _bytes(text: str | bytes) -> bytes:
    return text if isinstance(text, bytes) else text.encode()


def _reject(file: IO[str], batch: Sequence[Record | BadRow]) -> None:
    for row in batch:
        if isinstance(row, BadRow):
            file.write(json.dumps(row._asdict(), ensure_ascii=False) + "\n")


def _batches(rows: Iterator[Record | BadRow], size: int) -> Iterator[list[Record | BadRow]]:
    batch: list[Record | BadRow] = []
    for row in rows:
        batch.append(row)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch
