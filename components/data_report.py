"""What became of every row: counted by split, listed where it is bad."""

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from components.readers.opening import not_utf8
from components.readers.rows import NOT_UTF8, BadRow, Row, Spans
from components.splits import SPLITS
from trainer.errors import BadInput

FILE_NAME = "report.json"  # beside the Split-* folders of the Examples artifact
LISTED = 1000  # bad rows that are named; all are counted
MAX_LABELS = 10_000  # labels that are counted by name
Place = tuple[str, int]  # file, line


@dataclass
class DataReport:
    """Counts that add up: a report per part of the data, ``merged`` into one."""

    rows: Counter[str] = field(default_factory=Counter)  # split ▶ rows
    labels: dict[str, Counter[str]] = field(default_factory=dict)  # split ▶ label ▶ rows
    bad_rows: int = 0
    bad: list[BadRow] = field(default_factory=list)
    not_kept: int = 0
    empty_texts: int = 0
    numeric_texts: int = 0
    other_labels: int = 0  # rows or entities whose label is beyond the first MAX_LABELS
    duplicates: int = 0
    conflicts: int = 0  # texts with more than one label
    overlap: Counter[str] = field(default_factory=Counter)  # "train/test" ▶ rows of test
    errors: list[dict[str, str]] = field(default_factory=list)  # BadInput's parts
    entities: dict[str, Counter[str]] = field(default_factory=dict)  # split ▶ type ▶ entities
    first: dict[str, dict[str, Place]] = field(default_factory=dict)  # split ▶ type ▶ where first
    words: Counter[str] = field(default_factory=Counter)  # split ▶ words, where the data has them
    repaired: Counter[str] = field(default_factory=Counter)  # split ▶ illegal places read as is

    def add_row(self, split: str, texts: Iterable[str], label: str | None) -> None:
        """Counts a row that goes on."""
        self.rows[split] += 1
        first = next(iter(texts)).strip()
        self.empty_texts += not first
        self.numeric_texts += _is_number(first)
        if label is not None:
            labels = self.labels.setdefault(split, Counter())
            if label in labels or len(labels) < MAX_LABELS:
                labels[label] += 1
            else:
                self.other_labels += 1

    def add_spans(self, split: str, row: Row, spans: Spans) -> None:
        """Counts the entities of a row that goes on."""
        self.words[split] += len(spans.word_starts)
        if spans.repaired:
            self.repaired[split] += spans.repaired
        counts = self.entities.setdefault(split, Counter())
        first = self.first.setdefault(split, {})
        for kind in spans.types:
            if kind in counts or len(counts) < MAX_LABELS:
                counts[kind] += 1
                first.setdefault(kind, (row.file, row.line))
            else:
                self.other_labels += 1

    def add_bad(self, row: BadRow) -> None:
        """Counts a bad row and lists it while there is room."""
        self.bad_rows += 1
        if len(self.bad) < LISTED:
            self.bad.append(row)

    def add_error(self, error: BadInput) -> None:
        """Keeps an error of a whole file for whoever may raise it."""
        self.errors.append({"found": error.found, "where": error.where, "fix": error.fix})

    def add_counts(self, counts: dict[str, int]) -> None:
        """Takes in what ``text_counts.count`` found."""
        self.duplicates += counts["duplicates"]
        self.conflicts += counts["conflicts"]
        self.overlap.update({pair: n for pair, n in counts.items() if "/" in pair})

    @property
    def read(self) -> int:
        """Rows of the files: kept, not kept and bad."""
        return self.rows.total() + self.not_kept + self.bad_rows

    def refuse(self, tolerated: float, splits: Iterable[str] = SPLITS) -> None:
        """Raises what the user has to mend.

        Args:
            tolerated: share of bad rows that may be.
            splits: those that must not be empty.

        Raises:
            BadInput: a file that cannot be used, too many bad rows, or an empty split.
        """
        if self.errors:
            raise BadInput(**min(self.errors, key=lambda error: error["where"]))
        if self.bad_rows > tolerated * self.read:
            raise self._too_many_bad(tolerated)
        for split in splits:
            if not self.rows[split]:
                raise self._empty(split)

    def _too_many_bad(self, tolerated: float) -> BadInput:
        first = self.bad[0]
        fix = "Mend them or raise `data.bad_rows`."
        if first.reason.startswith(NOT_UTF8):
            fix = f"If the whole file is so: {not_utf8(first.file, first.line).fix}"
        shown = "; ".join(f"line {row.line}: {row.reason}" for row in self.bad[:3])
        return BadInput(
            f"{self.bad_rows} of {self.read} rows are bad, more than the tolerated "
            f"{tolerated:.2%} ({shown}{'; …' if self.bad_rows > 3 else ''}).",
            where=f"{first.file}:{first.line}",
            fix=fix,
        )

    def _empty(self, split: str) -> BadInput:
        if not self.rows.total() and self.not_kept:
            return BadInput("no row has one of these values", where="data.keep")
        return BadInput(
            f"the {split} split has no rows ({self.rows.total()} rows in all)",
            where="data.path",
            fix="Give more rows, or the splits: {train: …, eval: …, test: …}.",
        )

    def to_json(self) -> str:
        """As JSON, for the artifact."""
        return json.dumps(vars(self), ensure_ascii=False, indent=1)

    @classmethod
    def from_json(cls, text: str) -> "DataReport":
        """Back from JSON."""
        found: dict[str, Any] = json.loads(text)
        for name in ("rows", "overlap", "words", "repaired"):
            found[name] = Counter(found.get(name, {}))
        for name in ("labels", "entities"):
            by_split = found.get(name, {}).items()
            found[name] = {split: Counter(counts) for split, counts in by_split}
        found["first"] = {
            split: {kind: (place[0], place[1]) for kind, place in places.items()}
            for split, places in found.get("first", {}).items()
        }
        found["bad"] = [BadRow(*row) for row in found["bad"]]
        return cls(**found)


def merged(reports: Iterable[DataReport]) -> DataReport:
    """The sum of reports; the bad rows that stay listed are the first by file and line."""
    total = DataReport()
    for report in reports:
        for name in ("bad_rows", "not_kept", "empty_texts", "numeric_texts", "other_labels"):
            setattr(total, name, getattr(total, name) + getattr(report, name))
        for name in ("rows", "words", "repaired"):
            getattr(total, name).update(getattr(report, name))
        for name in ("labels", "entities"):
            for split, counts in getattr(report, name).items():
                getattr(total, name).setdefault(split, Counter()).update(counts)
        for split, places in report.first.items():
            known = total.first.setdefault(split, {})
            for kind, place in places.items():
                known[kind] = min(known.get(kind, place), place)
        total.add_counts(
            {"duplicates": report.duplicates, "conflicts": report.conflicts, **report.overlap}
        )
        total.bad = sorted(total.bad + report.bad)[:LISTED]
        total.errors += report.errors
    return total


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
