"""Any number of texts that are like real ones, the same at every call."""

import csv
import random
from collections.abc import Iterator
from pathlib import Path

from components.readers import expand, read


def write(source: str, rows: int, path: Path) -> None:
    """Writes a csv with the columns ``text`` and ``label``, unless it is there.

    Args:
        source: a file of real texts with the columns ``text`` and ``category``.
        rows: how many.
        path: the file; it is whole or not there.
    """
    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    with part.open("w", newline="", encoding="utf-8") as file:
        lines = csv.writer(file)
        lines.writerow(["text", "label"])
        lines.writerows(made_up(_real(source), rows))
    part.rename(path)


def made_up(real: list[tuple[str, str]], rows: int) -> Iterator[tuple[str, str]]:
    """The beginning of one text and the end of another of the same label: lengths stay as they are.

    Args:
        real: texts with their labels.
        rows: how many.
    """
    order = random.Random(1)
    by_label: dict[str, list[list[str]]] = {}
    for text, label in real:
        by_label.setdefault(label, []).append(text.split())
    for _ in range(rows):
        first, label = order.choice(real)
        begun, ended = first.split(), order.choice(by_label[label])
        yield " ".join(begun[: len(begun) // 2] + ended[len(ended) // 2 :]), label


def _real(source: str) -> list[tuple[str, str]]:
    rows = (row for path in expand(source) for row in read(path))
    return [
        (row.values["text"], row.values["category"])
        for row in rows
        if row.values.get("text") and row.values.get("category")
    ]
