"""JSON values to tensors and back, by the rules of TF Serving's REST API.

Source of the rules and of the kinds of message: tensorflow_serving/util/json_tensor.cc. We differ
in one way on purpose: every answer is strict JSON. TF Serving writes NaN and raw bytes as they are.
"""

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from serving.errors import Code, ServingError, invalid
from serving.server.json_document import (
    base64_bytes,
    bounded_nesting,
    is_base64,
    json_type,
    shown,
)
from serving.server.servable import SignatureDef
from serving.tensors import MAX_RANK, name_of

_INTEGERS = (
    tf.int8, tf.int16, tf.int32, tf.int64, tf.uint8, tf.uint16, tf.uint32, tf.uint64,
)  # fmt: skip
_FLOATS = (tf.float32, tf.float64)


def inputs_of(document: Mapping[str, Any], signature: SignatureDef) -> dict[str, np.ndarray]:
    """The tensors in `instances` (one object or value a row) or `inputs` (one list an input)."""
    if ("instances" in document) == ("inputs" in document):
        if "inputs" not in document:
            raise invalid("Missing 'inputs' or 'instances' key")
        raise invalid(
            f"JSON Value: {shown(document)} Not formatted correctly expecting only one of "
            "'inputs' or 'instances' keys to exist"
        )
    types = {name: tf.as_dtype(info.dtype) for name, info in sorted(signature.inputs.items())}
    with bounded_nesting():
        return _tensors(document, types)


def _tensors(document: Mapping[str, Any], types: Mapping[str, tf.DType]) -> dict[str, np.ndarray]:
    if "inputs" in document:
        return _from_columns(document["inputs"], types)
    rows = document["instances"]
    if not isinstance(rows, list):
        raise invalid(f"JSON Value: {shown(document)} Excepting 'instances' to be an list/array")
    if not rows:
        raise invalid(f"JSON Value: {shown(document)} No values in 'instances' array")
    return _from_rows(rows, types)


def _from_columns(value: Any, types: Mapping[str, tf.DType]) -> dict[str, np.ndarray]:
    if not isinstance(value, dict) or is_base64(value):
        if len(types) > 1:
            raise invalid(
                "inputs is a plain value/list, but expecting an object as multiple "
                "input tensors required as per tensorinfo_map"
            )
        ((name, dtype),) = types.items()
        return {name: tensor(value, dtype)}
    for name in types:
        if name not in value:
            raise invalid(f"Missing named input: {name} in 'inputs' object.")
    return {name: tensor(value[name], dtype) for name, dtype in types.items()}


def _from_rows(rows: list[Any], types: Mapping[str, tf.DType]) -> dict[str, np.ndarray]:
    if not isinstance(rows[0], dict) and len(types) > 1:
        raise invalid(
            "instances is a plain list, but expecting list of objects as multiple "
            "input tensors required as per tensorinfo_map"
        )
    named = _is_row(rows[0])
    for index, row in enumerate(rows):
        if _is_row(row) != named:
            expected, got = ("object", "list") if named else ("value/list", "object")
            raise invalid(f"Expecting {expected} but got {got} at item {index} of input list")
        if named:
            _check_names(index, row, types)
    return {name: _stacked(rows, name, dtype, named) for name, dtype in types.items()}


def _check_names(index: int, row: Mapping[str, Any], types: Mapping[str, tf.DType]) -> None:
    for name in row:
        if name not in types:
            raise invalid(
                f"Failed to process element: {index} key: {name} of 'instances' list. "
                f"Error: INVALID_ARGUMENT: JSON object: does not have named input: {name}"
            )
    if len(row) != len(types):
        raise invalid(
            f"Failed to process element: {index} of 'instances' list. JSON object: "
            f"{shown(row)} keys must be equal to: {','.join(types)}"
        )


def _stacked(rows: list[Any], name: str, dtype: tf.DType, named: bool) -> np.ndarray:
    key = f" key: {name}" if named else ""
    elements: list[np.ndarray] = []
    for index, row in enumerate(rows):
        try:
            element = tensor(row[name] if named else row, dtype)
            _check_even(elements[0] if elements else element, element)
        except ServingError as error:
            message = f"Failed to process element: {index}{key} of 'instances' list."
            raise invalid(f"{message} Error: {error}") from None
        elements.append(element)
    return np.stack(elements)


def _check_even(first: np.ndarray, element: np.ndarray) -> None:
    if element.size != first.size:
        raise invalid(f"Expecting tensor size: {first.size} but got: {element.size}")
    if element.shape != first.shape:
        expected, got = (",".join(map(str, array.shape)) for array in (first, element))
        raise invalid(f"Expecting shape [{expected}] but got: [{got}]")


def _is_row(value: Any) -> bool:
    return isinstance(value, dict) and not is_base64(value)


def tensor(value: Any, dtype: tf.DType) -> np.ndarray:
    """A scalar, list or list of lists as an array; every list of a level has the same length.

    tensor([["a", {"b64": "AP8="}]], tf.string)   # [1, 2]: b"a", b"\\x00\\xff"
    """
    shape = _shape(value)
    if len(shape) >= MAX_RANK:
        raise invalid(f"JSON Value: a tensor has at most {MAX_RANK - 1} dimensions")
    flat: list[Any] = []
    _flatten(value, 0, shape, dtype, _converter(dtype), flat)
    array = np.empty(len(flat), dtype=object if dtype == tf.string else dtype.as_numpy_dtype)
    array[:] = flat
    return array.reshape(shape)


def _shape(value: Any) -> list[int]:
    shape = []
    while isinstance(value, list):
        shape.append(len(value))
        if not value:
            break
        value = value[0]
    return shape


def _flatten(
    value: Any, level: int, shape: list[int], dtype: tf.DType, convert: Callable, flat: list[Any]
) -> None:
    if not isinstance(value, list):
        if level != len(shape):
            raise invalid(
                f"JSON Value: {shown(value)} found at incorrect level: {level + 1} "
                f"in the JSON DOM. Expected at level: {len(shape)}"
            )
        flat.append(convert(value, dtype))
        return
    if level >= len(shape):
        raise invalid(f"Encountered list at unexpected level: {level} expected < {len(shape)}")
    if len(value) != shape[level]:
        raise invalid(
            f"Encountered list at unexpected size: {len(value)} at level: {level} "
            f"expected size: {shape[level]}"
        )
    for item in value:
        _flatten(item, level + 1, shape, dtype, convert, flat)


def _converter(dtype: tf.DType) -> Callable[[Any, tf.DType], Any]:
    if dtype == tf.string:
        return _string
    if dtype == tf.bool:
        return _boolean
    if dtype in _INTEGERS:
        return _integer
    if dtype in _FLOATS:
        return _float
    raise ServingError(
        Code.UNIMPLEMENTED, f"Conversion of JSON Value to type: {name_of(dtype.as_datatype_enum)}"
    )


def _string(value: Any, dtype: tf.DType) -> bytes:
    if isinstance(value, str):
        return value.encode("utf-8")
    if not isinstance(value, dict):
        raise _type_error(value, dtype)
    return base64_bytes(value)


def _boolean(value: Any, dtype: tf.DType) -> bool:
    if not isinstance(value, bool):
        raise _type_error(value, dtype)
    return value


def _integer(value: Any, dtype: tf.DType) -> int:
    fits = isinstance(value, int) and not isinstance(value, bool)
    if not fits or not dtype.min <= value <= dtype.max:
        raise _type_error(value, dtype)
    return value


def _float(value: Any, dtype: tf.DType) -> float:
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        raise _type_error(value, dtype)
    if not fits_float(value, dtype):
        raise invalid(
            f"Cannot convert JSON value: {shown(value)} to {name_of(dtype.as_datatype_enum)} "
            "without loss of precision."
        )
    return float(value)


def fits_float(value: int | float, dtype: tf.DType) -> bool:
    """Whether a number keeps its value: integers of 64 bits exactly, all others in range."""
    if isinstance(value, int) and -(1 << 63) <= value < 1 << 64:
        return abs(value) < 1 << (24 if dtype == tf.float32 else 53)
    if isinstance(value, float) and not math.isfinite(value):
        return True
    return abs(value) <= float(dtype.max)


def _type_error(value: Any, dtype: tf.DType) -> ServingError:
    return invalid(
        f"JSON Value: {shown(value)} Type: {json_type(value)} "
        f"is not of expected type: {name_of(dtype.as_datatype_enum)}"
    )
