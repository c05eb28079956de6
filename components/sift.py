"""The one way from a file to rows in splits, for the recipe's check and for TextExampleGen."""

from collections.abc import Collection, Iterator
from pathlib import Path

from components.data_report import DataReport
from components.readers import BadRow, Row, read
from components.readers.rows import Spans
from components.readers.select import NotKept, Selection
from components.splits import cut
from components.text_counts import Entry, entry


def sift(
    path: Path | str,
    split: str,
    selection: Selection,
    given: Collection[str],
    report: DataReport,
    format: str | None = None,
) -> Iterator[tuple[str, Row, Entry]]:
    """Yields (split, row, its entry for counting copies) of the rows that go on.

    Args:
        path: one file of ``split``.
        given: splits that the user gave; train rows are cut for those that are missing.
        report: takes in what becomes of every row.

    Raises:
        BadInput: the file as a whole cannot be used.
    """
    for record in read(path, format, selection.needed, selection.tagged):
        verdict = selection.judge(record)
        if isinstance(verdict, BadRow):
            report.add_bad(verdict)
        elif isinstance(verdict, NotKept):
            report.not_kept += 1
        else:
            texts = tuple(verdict.values[name] for name in selection.texts)
            label = verdict.values[selection.label] if selection.label else None
            counted = entry(texts, label or _told(verdict.spans), split)
            if split == "train":
                counted = counted._replace(split=cut(counted.text, given))
            report.add_row(counted.split, texts, label)
            if verdict.spans:
                report.add_spans(counted.split, verdict, verdict.spans)
            yield counted.split, verdict, counted


def _told(spans: Spans | None) -> str:
    """A text's entities as one label: copies with others contradict each other."""
    return f"{spans.starts} {spans.ends} {spans.types}" if spans else ""
