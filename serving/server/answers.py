"""Tensors to JSON answers: rows, columns, and values that any strict parser reads."""

import base64
import contextlib
import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from serving.decimals import shortest
from serving.errors import Code, ServingError, invalid


def rows(outputs: Mapping[str, np.ndarray]) -> dict[str, Any]:
    """`{"predictions": [...]}`: a row is an object, or the bare value of a single output.

    Raises:
        ServingError: INVALID_ARGUMENT if the outputs do not share their first dimension.
    """
    batch: int | None = None
    for name, array in sorted(outputs.items()):
        if array.ndim == 0:
            raise invalid(f"Tensor name: {name} has no shape information ")
        if batch is not None and len(array) != batch:
            raise invalid(
                f"Tensor name: {name} has inconsistent batch size: {len(array)} expecting: {batch}"
            )
        batch = len(array)
    columns = {name: plain(name, array) for name, array in outputs.items()}
    if len(columns) == 1:
        return {"predictions": next(iter(columns.values()))}
    return {"predictions": [dict(zip(columns, row, strict=True)) for row in _zip(columns)]}


def columns(outputs: Mapping[str, np.ndarray]) -> dict[str, Any]:
    """`{"outputs": {...}}`, or the bare tensor of a single output."""
    values = {name: plain(name, array) for name, array in outputs.items()}
    return {"outputs": next(iter(values.values())) if len(values) == 1 else values}


def plain(name: str, array: np.ndarray) -> Any:
    """An array as nested lists of JSON values.

    Strings of outputs named `…_bytes`, and any that are not UTF-8, become `{"b64": …}`.

    Raises:
        ServingError: INTERNAL if a float is not finite, for which JSON has no word.
    """
    if array.dtype.kind in "OSU":
        return _texts(array.tolist(), name.endswith("_bytes"))
    if array.dtype.kind in "iub":
        return array.tolist()
    if not np.isfinite(array).all():
        message = f"output {name} has NaN or infinite values, which JSON cannot hold"
        raise ServingError(Code.INTERNAL, message)
    return shortest(array)


def encode(document: Any) -> bytes:
    """Strict JSON in UTF-8."""
    text = json.dumps(document, ensure_ascii=False, allow_nan=False)
    return text.encode("utf-8", "replace")


def _zip(columns: Mapping[str, list[Any]]) -> Any:
    return zip(*columns.values(), strict=True)


def _texts(value: Any, as_bytes: bool) -> Any:
    if isinstance(value, list):
        return [_texts(item, as_bytes) for item in value]
    data = value if isinstance(value, bytes) else str(value).encode()
    if not as_bytes:
        with contextlib.suppress(UnicodeDecodeError):
            return data.decode("utf-8")
    return {"b64": base64.b64encode(data).decode("ascii")}
