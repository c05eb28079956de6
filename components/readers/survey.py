"""A first look at the data, for the recipe's check: one pass, no TFX."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from components.data_report import DataReport
from components.readers.detect_scheme import scheme_of
from components.readers.rows import BadRow
from components.readers.select import Selection
from components.sift import sift
from components.tag_set import refuse_entities
from components.text_counts import Entry, count, partitions
from trainer.errors import BadInput

_SHOWN = 20
_CHUNK = 65_536  # rows that are held before they are packed


@dataclass(frozen=True)
class Survey:
    """What the files hold, as far as the recipe is concerned."""

    report: DataReport
    scheme: str | None = None  # of the tags; None where the task is another

    @property
    def rows(self) -> int:
        """Rows of the files, whatever became of them."""
        return self.report.read

    @property
    def kept(self) -> int:
        """Rows that go on."""
        return self.report.rows.total()

    @property
    def bad_rows(self) -> int:
        """Rows that cannot be used."""
        return self.report.bad_rows

    @property
    def bad(self) -> list[BadRow]:
        """The first 20 of these."""
        return self.report.bad[:_SHOWN]

    @property
    def label_counts(self) -> Counter[str]:
        """Rows by label, of the kept."""
        return self.report.labels.get("train", Counter())

    @property
    def numeric_share(self) -> float:
        """Share of the kept rows with a text that is there whose text is a number."""
        return self.report.numeric_texts / max(1, self.kept - self.report.empty_texts)

    @property
    def duplicates(self) -> int:
        """Kept rows whose text another kept row had before."""
        return self.report.duplicates

    @property
    def empty_texts(self) -> int:
        """Kept rows without a letter of text."""
        return self.report.empty_texts

    def refuse(self, selection: Selection, tolerated: float = 0.01, classes: int = 2) -> None:
        """Raises what makes the data unfit for training.

        Raises:
            BadInput: too many bad rows, nothing kept, a text column of numbers, fewer than
                ``classes`` labels; of tagged data: no entity, or a type that train lacks.
        """
        self.report.refuse(tolerated, splits=("train",))
        if self.numeric_share > 0.9:
            raise BadInput(
                f"column {selection.texts[0]!r} holds numbers ({self.numeric_share:.0%} of its "
                "rows), not texts",
                where="data.text",
            )
        if selection.tagged:
            refuse_entities(self.report)
        if selection.label is not None and len(self.label_counts) < classes:
            only = ", ".join(map(repr, self.label_counts))
            raise BadInput(
                f"column {selection.label!r} has one class only ({only})",
                where="data.label",
                fix="A classifier needs two or more; does `data.keep` leave too few?",
            )


def survey(
    files: Iterable[Path] | Mapping[str, Iterable[Path]],
    text: str | Sequence[str],
    label: str | None = None,
    keep: Mapping[str, Sequence[object]] | None = None,
    format: str | None = None,
    rename: Mapping[str, str] | None = None,
    tags: Mapping[str, Any] | None = None,
) -> Survey:
    """Reads the files once (tags twice: first for their scheme), in 13 bytes of memory a row.

    Args:
        files: in one heap, counted as train; or by split, as ``splits.given_files`` gives them,
            and counted as they will be cut.
        tags: the recipe's ``columns``, ``scheme`` and ``repair``, if the task is to tag.

    Raises:
        BadInput: a file as a whole cannot be used (see ``readers.read``); tags of an unknown
            scheme or of several.
    """
    selection = Selection.of(text, label, keep, rename=rename, tags=tags)
    by_split = files if isinstance(files, Mapping) else {"train": files, "eval": (), "test": ()}
    parts = [(split, path) for split, paths in by_split.items() for path in paths]
    scheme = None
    if selection.tagged:
        scheme = scheme_of([path for _, path in parts], format, selection.tagged)
        selection = selection.with_scheme(scheme)
    report = DataReport()
    report.add_counts(count(_packed(parts, selection, list(by_split), report, format)))
    return Survey(report, scheme)


def _packed(
    parts: list[tuple[str, Path]],
    selection: Selection,
    given: list[str],
    report: DataReport,
    format: str | None,
) -> Iterator[bytes]:
    """What is needed of every row to count copies; the report takes in the rest."""
    waiting: list[Entry] = []
    for split, path in parts:
        for _, _, entry in sift(path, split, selection, given, report, format):
            waiting.append(entry)
            if len(waiting) == _CHUNK:
                yield from (chunk for _, chunk in partitions(waiting))
                waiting.clear()
    yield from (chunk for _, chunk in partitions(waiting))
