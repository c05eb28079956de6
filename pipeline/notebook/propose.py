"""A recipe for a csv, tsv or jsonl file, proposed from its first rows; a person decides."""

import itertools
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import yaml

from components import sources
from components.readers import Row, columns, read
from pipeline.check import SIGNATURE_NAMES
from pipeline.notebook import few
from pipeline.page.blocks import Section, Table
from pipeline.shortened import shortened
from trainer.errors import BadInput

_LOOKED_AT = 20_000  # rows
_MOST_LABELS = 200
_SHOWN = 60  # letters of a value
_CALLED = ("label", "category", "class", "target", "sentiment", "intent", "topic")


@dataclass(frozen=True)
class Column:
    """What a column holds in the rows that were looked at."""

    name: str
    values: Counter[str]

    @property
    def length(self) -> float:
        """Mean characters of a value."""
        total = sum(len(value) * number for value, number in self.values.items())
        return total / max(1, self.values.total())

    @property
    def is_label(self) -> bool:
        """A few values, each of which comes again and again."""
        return 1 < len(self.values) <= min(_MOST_LABELS, self.values.total() / 4)


def look(path: str | Path) -> list[Column]:
    """The columns of a file.

    Raises:
        BadInput: no file, or none that can be read.
    """
    path = Path(path)
    if not path.is_file():
        raise BadInput(
            "there is no such file.", where=str(path), fix="Upload it, or put its path into CSV."
        )
    names = columns(path)
    rows = [row for row in itertools.islice(read(path), _LOOKED_AT) if isinstance(row, Row)]
    return [Column(name, Counter(str(row.values.get(name, "")) for row in rows)) for name in names]


def section(found: list[Column]) -> Section:
    """What there is to choose from."""
    rows = [
        [one.name, _frequent(one), f"{len(one.values):,}", f"{one.length:,.0f}"] for one in found
    ]
    headings = ["column", "most frequent", "distinct", "mean characters"]
    return Section("Columns", [Table(headings, rows, texts=2)])


def _frequent(column: Column) -> str:
    return " · ".join(shortened(value, _SHOWN) for value, _ in column.values.most_common(3))


def recipe(
    path: str | Path,
    name: str,
    encoder: str,
    text: str | None = None,
    label: str | None = None,
) -> str:
    """A classifier's recipe as YAML.

    Args:
        path: the data.
        name: of the recipe and the model.
        encoder: a source, or the mapping of one from scratch, as YAML.
        text: the column of texts; by default the one of the longest values.
        label: the column of labels; by default the one that is called so, or has the fewest values.

    Raises:
        BadInput: no such file, or no column that could be a label.
    """
    found = look(path)
    text = text or max(found, key=lambda one: one.length).name
    label = label or _label([one for one in found if one.name != text], path)
    data: dict[str, object] = {"path": str(path)}
    renamed = {
        column: f"{column}_given"
        for column in (text, label)
        if column in SIGNATURE_NAMES and (column, text) != ("text", "text")
    }
    if renamed:  # TFMA would take a column for the signature's tensor of that name
        data["rename"] = renamed
    data |= {"text": renamed.get(text, text), "label": renamed.get(label, label)}
    written = {
        "name": name,
        "task": "classify",
        "data": data,
        "encoder": yaml.safe_load(encoder),
        "max_tokens": 128,
        "train": {"epochs": 3, "batch_size": 32, "learning_rate": 1.0e-4},
        "gate": {"accuracy": {"at_least": _majority(found, label)}, "slices": [data["label"]]},
    }
    return yaml.safe_dump(written, sort_keys=False, allow_unicode=True)


def _label(candidates: list[Column], path: str | Path) -> str:
    labels = [one for one in candidates if one.is_label]
    if not labels:
        raise BadInput(
            "no column looks like a label: a few values that come again and again.",
            where=str(path),
            fix="Name one with label=….",
        )
    called = [one for one in labels if one.name.lower() in _CALLED]
    return min(called or labels, key=lambda one: len(one.values)).name


def _majority(found: list[Column], label: str) -> float:
    """Hundredths above what the most frequent label alone would reach."""
    [values] = [one.values for one in found if one.name == label]
    share = max(values.values()) / values.total()
    return round(share + (1 - share) / 10, 2)


def stand_in(rows: int, target: Path) -> Path:
    """Rows of the catalogue's film texts, for whoever has no file at hand."""
    target.parent.mkdir(parents=True, exist_ok=True)
    source = sources.catalogue.entries()["reviews"].source
    return few.copy(Path(sources.localized(source)), "csv", rows, target)
