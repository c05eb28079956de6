"""A bulk run from its input files to its output: planned, done by Beam, put together."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import apache_beam as beam
from apache_beam.options.pipeline_options import PipelineOptions

from components.readers import expand
from pipeline.bulk import columns
from pipeline.bulk.formats import bulk_format, check_columns, row_format
from pipeline.bulk.outputs import beside, join, outputs
from pipeline.bulk.shard import AnswerShard, load
from pipeline.bulk.watching import watching
from pipeline.bulk.work import Plan, Shard, Work
from pipeline.runners import beam_options
from serving.server.versions import open_base_path
from trainer.card import read_card
from trainer.errors import BadInput

ROWS_A_SHARD = 10_000
_GO_ON = "Give the same command again to go on with what is missing."

Tell = Callable[[int, int], None]  # rows done, of how many


@dataclass(frozen=True)
class Done:
    """What came of a bulk run.

    Attributes:
        rows: answered.
        rejected: rows that could not be asked about.
        before: rows that an earlier, unfinished run had answered or rejected.
        files: of the output.
        rejects: the file that says which rows were rejected and why, if any were.
    """

    rows: int
    rejected: int
    before: int
    files: list[Path]
    rejects: Path | None


def predict_bulk(
    source: Path,
    out: Path,
    model: Path,
    *,
    text: Sequence[str] = (),
    format: str | None = None,
    batch_size: int = 32,
    shard_rows: int = ROWS_A_SHARD,
    overwrite: bool = False,
    beam_args: Sequence[str] = (),
    tell: Tell = lambda done, rows: None,
) -> Done:
    """Writes the rows of files with a model's answers.

    Args:
        source: a file, a pattern, or a folder of csv, tsv, jsonl or tfrecord, maybe packed.
        out: a file; a folder, if there are several.
        model: a base path or one version. On a cluster all three, and the folder beside `out`
            that holds unfinished work, are where every worker sees them.
        text: the columns of the model's texts, if they are not called as in training.
        format: if the files' endings do not tell.
        batch_size: texts the model gets at once.
        shard_rows: rows that are lost if a worker dies, and that one worker does in one go.
        overwrite: whether `out` may be there.
        beam_args: of any Beam runner.
        tell: called about every second.

    Raises:
        BadInput: of files, columns, model or Beam's arguments, before anything is written; rows of
            which none could be asked about.
        OSError: shards that could not be written; the next run goes on with those.
    """
    arguments = beam_options.checked(beam_args)
    files = _files(source, format)
    answered = outputs(source, files, out, overwrite)
    work = Work(beside(out, "unfinished").absolute())
    plan = _plan(files, format, model, text, shard_rows)
    with work.locked():
        before = work.adopt(plan)
        missing = [shard for shard in plan.shards if not work.is_done(shard)]
        with watching(work, plan, tell):
            _answer(work, missing, batch_size, arguments)
        _refuse_unfinished(work, plan)
        done = _finish(work, plan, answered, out, before)
        work.remove()
    return done


def _files(source: Path, format: str | None) -> list[Path]:
    if source.is_file():
        return [source.absolute()]
    return expand(source, None if format == "tfrecord" else format)


def _plan(
    files: list[Path], format: str | None, model: Path, text: Sequence[str], every: int
) -> Plan:
    base = open_base_path(model)
    _, folder = max(base.versions().items())
    signatures = load(str(folder)).signatures
    if columns.SIGNATURE not in signatures or len(signatures[columns.SIGNATURE].inputs) != 1:
        raise BadInput(
            f"the model has no signature {columns.SIGNATURE!r} with one input",
            where=str(folder),
            fix="Push it by `rawbert run`, or ask `rawbert predict --model` a text a line.",
        )
    added = columns.columns(signatures[columns.SIGNATURE].outputs)
    texts = _texts(read_card(str(folder)), text)
    formats = [bulk_format(file, format) for file in files]
    shards: list[Shard] = []
    for number, (file, found) in enumerate(zip(files, formats, strict=True)):
        rows = row_format(file, found, texts, added)
        check_columns(rows)
        for place, beyond in pairwise(rows.places(every)):
            shards.append(Shard(len(shards), number, place, beyond.row - place.row))
    if not shards:
        raise BadInput("no rows", where=str(files[0]))
    return Plan(
        model=[str(folder), *_told(folder / "saved_model.pb")],
        files=[[str(f), kind, *_told(f)] for f, kind in zip(files, formats, strict=True)],
        texts=texts, columns=added, shards=shards,
    )  # fmt: skip


def _texts(card: Mapping[str, Any], given: Sequence[str]) -> dict[str, str]:
    """The model's name of each text ▶ the file's column."""
    named = card.get("text", "text")
    names = [named] if isinstance(named, str) else list(named)
    if given and len(given) != len(names):
        raise BadInput(
            f"the model reads {len(names)} texts ({', '.join(names)}), and --text names "
            f"{len(given)} columns",
            fix="Give --text once for each, in this order.",
        )
    return dict(zip(names, given or names, strict=True))


def _told(file: Path) -> list[int]:
    """What tells a file from another by that name, without reading it."""
    status = file.stat()
    return [status.st_size, status.st_mtime_ns]


def _answer(work: Work, shards: list[Shard], batch_size: int, arguments: list[str]) -> None:
    if not shards:
        return
    pipeline = beam.Pipeline(options=PipelineOptions(arguments))
    _ = (
        pipeline
        | "Shards" >> beam.Create([shard.number for shard in shards])
        | "Spread" >> beam.Reshuffle()
        | "Answer" >> beam.ParDo(AnswerShard(str(work.folder), batch_size))
    )
    try:
        with beam_options.told_plainly():
            pipeline.run().wait_until_finish()
    except RuntimeError as error:  # what a runner makes of whatever happened far away
        reason = (str(error).strip().splitlines() or [""])[0][:300]
        raise OSError(f"the Beam job has failed: {reason}. {_GO_ON}") from error


def _refuse_unfinished(work: Work, plan: Plan) -> None:
    missing = sum(not work.is_done(shard) for shard in plan.shards)
    if not missing:
        return
    failures = work.failures()
    kind, reason = failures[0] if failures else ("", "a worker has died without a word")
    if kind == BadInput.__name__:
        raise BadInput(reason)
    raise OSError(f"{missing} of {len(plan.shards)} shards are not done: {reason}. {_GO_ON}")


def _finish(work: Work, plan: Plan, files: list[Path], out: Path, before: int) -> Done:
    counts = work.counts(plan)
    rejects = beside(out, "rejected.jsonl") if counts["rejected"] else None
    if rejects:
        join(b"", [work.of(shard, "rejected") for shard in plan.shards], rejects)
    if not counts["rows"]:
        raise BadInput("none of the rows could be asked about", where=str(rejects))
    for number, output in enumerate(files):
        path, format, *_ = plan.files[number]
        head = row_format(Path(path), format, plan.texts, plan.columns).head()
        parts = [work.of(shard, "rows") for shard in plan.shards if shard.file == number]
        join(head, parts, output)
    return Done(counts["rows"], counts["rejected"], before, files, rejects)
