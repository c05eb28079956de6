"""A batched answer as one dict a text, cut to its true lengths."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from serving.decimals import shortest


def rows(outputs: Mapping[str, np.ndarray]) -> list[dict[str, Any]]:
    """Splits outputs along dimension 0 into plain Python values; strings become str.

    A batch is as wide as its widest row; `n_tokens`, `n_pieces`, `n_entities` … say how much of a
    row is real, and the row is cut there.

        rows({"pieces": [["a", ""], ["b", "c"]], "n_pieces": [1, 2]})
        # [{"pieces": ["a"], "n_pieces": 1}, {"pieces": ["b", "c"], "n_pieces": 2}]
    """
    batch = min((len(array) for array in outputs.values() if array.ndim), default=0)
    columns = {name: _column(name, array, batch) for name, array in outputs.items()}
    counts = {name: count_of(name, outputs) for name in outputs}
    return [
        {name: _cut(column[row], counts[name], columns, row) for name, column in columns.items()}
        for row in range(batch)
    ]


def count_of(name: str, outputs: Mapping[str, np.ndarray]) -> str | None:
    """The `n_…` output that says how many items in each row of output `name` are real.

    `entities` and `entity_types` go by `n_entities`, for they share its stem. An output with a
    stem of its own (`starts`) goes by the count that has no such family (`n_tokens`), if it is as
    wide as what that count counts (`tokens`); `scores` over classes is not.
    """
    if outputs[name].ndim < 2:
        return None
    families = {
        key: [output for output in outputs if output.startswith(_stem(key))]
        for key, array in outputs.items()
        if key.startswith("n_") and array.ndim == 1
    }
    for count, family in families.items():
        if name in family:
            return count
    for count, family in families.items():
        if len(family) == 1 and outputs[family[0]].shape[1:2] == outputs[name].shape[1:2]:
            return count
    return None


def _stem(count: str) -> str:
    """`n_entities` is about outputs that begin with `entit`, `n_pieces` with `piece`."""
    return count.removeprefix("n_").removesuffix("ies").removesuffix("s")


def _column(name: str, array: np.ndarray, batch: int) -> list[Any]:
    if array.ndim == 0:
        return [_plain(name, array)] * batch
    return _plain(name, array)


def _plain(name: str, array: np.ndarray) -> Any:
    if array.dtype.kind == "f":
        return shortest(array)
    values = array.tolist()
    return values if name.endswith("_bytes") else _text(values)


def _text(value: Any) -> Any:
    if isinstance(value, list):
        return [_text(item) for item in value]
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value


def _cut(value: Any, count: str | None, columns: Mapping[str, list[Any]], row: int) -> Any:
    return value if count is None else value[: columns[count][row]]
