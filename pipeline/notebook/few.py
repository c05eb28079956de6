"""Some of a recipe's rows, drawn at random, so that a first run takes minutes."""

import csv
import io
import json
import random
from collections.abc import Iterator
from pathlib import Path

from components.readers import format_of
from components.readers.delimited import csv_records
from components.readers.opening import numbered_lines
from components.splits import given_files
from pipeline.check import localized
from pipeline.recipe import Data
from trainer.errors import BadInput


def cut(data: Data, rows: int, folder: Path) -> str:
    """Copies rows of every split's first file into a folder.

    Args:
        data: the recipe's section.
        rows: of train at most, or of all data where the recipe gives no splits; eval and test
            get a quarter as many each.

    Returns:
        the change to the recipe: ``data.path=…``.

    Raises:
        BadInput: data that is not there, or texts in a folder a class.
    """
    folder.mkdir(parents=True, exist_ok=True)
    written = {}
    for split, files in given_files(localized(data.path), data.format).items():
        format = format_of(files[0], data.format)
        wanted = rows if split == "train" else max(1, rows // 4)
        written[split] = str(copy(files[0], format, wanted, folder / f"{split}.{format}"))
    return f"data.path={json.dumps(written['train'] if isinstance(data.path, str) else written)}"


def copy(path: Path, format: str, rows: int, target: Path) -> Path:
    """Copies so many rows of a file; gives the copy."""
    with target.open("w", encoding="utf-8", newline="") as file:
        file.writelines(_chosen(path, format, rows))
    return target


def _chosen(path: Path, format: str, wanted: int) -> Iterator[str]:
    """The header, if there is one, and so many records, always the same ones, in their order."""
    headed = format in ("csv", "tsv")
    number = sum(1 for _ in _records(path, format)) - headed
    records = _records(path, format)
    if headed:
        yield next(records, "")
    drawn = set(random.Random(1).sample(range(number), min(wanted, number)))
    for index, record in enumerate(records):
        if index in drawn:
            yield record


def _records(path: Path, format: str) -> Iterator[str]:
    lines = numbered_lines(path)
    if format == "csv":
        return (
            _csv_line(fields) for _, fields in csv_records(lines) if not isinstance(fields, str)
        )
    if format in ("tsv", "jsonl"):
        return (text for _, raw in lines if (text := raw.decode("utf-8", "replace")).strip())
    if format == "conll":
        return _sentences(path)
    raise BadInput(
        "rows are taken from csv, tsv, jsonl and conll files only.",
        where=str(path),
        fix="Write ROWS = 0 to take all.",
    )


def _csv_line(fields: list[str]) -> str:
    line = io.StringIO()
    csv.writer(line).writerow(fields)
    return line.getvalue()


def _sentences(path: Path) -> Iterator[str]:
    words: list[str] = []
    for _, raw in numbered_lines(path):
        line = raw.decode("utf-8", "replace").rstrip()
        if line:
            words.append(f"{line}\n")
        elif words:
            yield "".join([*words, "\n"])
            words = []
    if words:
        yield "".join([*words, "\n"])
