"""The texts that servers are asked about: those of a recipe's data."""

import json
import random
from pathlib import Path

from components import readers, sources
from pipeline import recipe as recipes


def write(recipe: Path, count: int, to: Path) -> list[str]:
    """A random choice of the recipe's texts, the same each time, as a JSON list.

    Args:
        recipe: its data is one file, or a source that resolves to one.
        count: texts at most.
        to: the file.
    """
    data = recipes.load(recipe)[0].data
    path = str(data.path if isinstance(data.path, str) else data.path.train)
    local = sources.resolve(path) if ":" in path else Path(path)
    columns = list(dict.fromkeys([data.text, *data.keep]))
    rows = (row for row in readers.read(local, columns=columns) if isinstance(row, readers.Row))
    texts = [
        row.values[data.text]
        for row in rows
        if all(row.values[column] in values for column, values in data.keep.items())
    ]
    chosen = random.Random(1).sample(texts, min(count, len(texts)))
    to.write_text(json.dumps(chosen, ensure_ascii=False), encoding="utf-8")
    return chosen
