"""JSON values to tensors and back, by the rules of TF Serving's REST API.

Source of the rules and of the kinds of message: tensorflow_serving/util/json_tensor.cc. We differ
in one way on purpose: every answer is strict JSON. TF Serving writes NaN and raw bytes as they are.
"""

import base64
import binascii
import json
import math
from collections.abc import Callable, Mapping
from typing import Any, NoReturn

import numpy as np
import tensorflow as tf

from serving.errors import Code, ServingError, invalid
from serving.server.servable import SignatureDef
from serving.tensors import name_of

_INTEGERS = (
    tf.int8, tf.int16, tf.int32, tf.int64, tf.uint8, tf.uint16, tf.uint32, tf.uint64,
)  # fmt: skip
_FLOATS = (tf.float32, tf.float64)


def parse(body: bytes) -> dict[str, Any]:
    """The request's JSON object.

    Raises:
        ServingError: INVALID_ARGUMENT for anything but an object in strict JSON.
    """
    if not body:
        raise invalid("JSON Parse error: The document is empty")
    try:
        document = json.loads(body.decode("utf-8-sig"), parse_constant=_no_constant)
    except RecursionError:
        raise invalid("JSON Parse error: nested too deeply") from None
    except ValueError as error:
        raise invalid(f"JSON Parse error: {error}") from None
    if not isinstance(document, dict):
        raise invalid(f"JSON Value: {shown(document)} Is not object")
    return document


def signature_name(document: Mapping[str, Any]) -> str:
    """The request's `signature_name`, empty if it has none."""
    name = document.get("signature_name", "")
    if not isinstance(name, str):
        raise invalid(
            f"JSON Value: {shown(document)} not formatted correctly. "
            "'signature_name' key must be a string value."
        )
    return name


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
    if "inputs" in document:
        return _from_columns(document["inputs"], types)
    rows = document["instances"]
    if not isinstance(rows, list):
        raise invalid(f"JSON Value: {shown(document)} Excepting 'instances' to be an list/array")
    if not rows:
        raise invalid(f"JSON Value: {shown(document)} No values in 'instances' array")
    return _from_rows(rows, types)


def _from_columns(value: Any, types: Mapping[str, tf.DType]) -> dict[str, np.ndarray]:
    if not isinstance(value, dict) or _is_base64(value):
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
        if named and set(row) != set(types):
            raise invalid(
                f"Failed to process element: {index} of 'instances' list. JSON object: "
                f"{shown(row)} keys must be equal to: {','.join(types)}"
            )
    return {name: _stacked(rows, name, dtype, named) for name, dtype in types.items()}


def _stacked(rows: list[Any], name: str, dtype: tf.DType, named: bool) -> np.ndarray:
    key = f" key: {name}" if named else ""
    elements: list[np.ndarray] = []
    for index, row in enumerate(rows):
        try:
            element = tensor(row[name] if named else row, dtype)
            if elements and element.shape != elements[0].shape:
                expected, got = list(elements[0].shape), list(element.shape)
                raise invalid(f"Expecting shape {expected} but got: {got}")
        except ServingError as error:
            message = f"Failed to process element: {index}{key} of 'instances' list."
            raise invalid(f"{message} Error: {error}") from None
        elements.append(element)
    return np.stack(elements)


def _is_row(value: Any) -> bool:
    return isinstance(value, dict) and not _is_base64(value)


def _is_base64(value: Any) -> bool:
    return isinstance(value, dict) and list(value) == ["b64"] and isinstance(value["b64"], str)


def tensor(value: Any, dtype: tf.DType) -> np.ndarray:
    """A scalar, list or list of lists as an array; every list of a level has the same length.

    tensor([["a", {"b64": "AP8="}]], tf.string)   # [1, 2]: b"a", b"\\x00\\xff"
    """
    shape = _shape(value)
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
        try:
            return value.encode("utf-8")
        except UnicodeEncodeError:
            raise invalid("JSON Parse error: The surrogate pair in string is invalid.") from None
    if not isinstance(value, dict):
        raise _type_error(value, dtype)
    if not _is_base64(value):
        raise invalid(f"JSON Value: {shown(value)} not formatted correctly for base64 data")
    try:
        return base64.b64decode(value["b64"], validate=True)
    except (binascii.Error, ValueError):
        raise invalid("Unable to base64 decode") from None


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
    exact_integers = 1 << (24 if dtype == tf.float32 else 53)
    too_large = isinstance(value, int) and abs(value) >= exact_integers
    if too_large or not math.isfinite(value) or abs(value) > dtype.max:
        raise invalid(
            f"Cannot convert JSON value: {shown(value)} to {name_of(dtype.as_datatype_enum)} "
            "without loss of precision."
        )
    return float(value)


def _type_error(value: Any, dtype: tf.DType) -> ServingError:
    return invalid(
        f"JSON Value: {shown(value)} Type: {_json_type(value)} "
        f"is not of expected type: {name_of(dtype.as_datatype_enum)}"
    )


def _json_type(value: Any) -> str:
    if value is None or isinstance(value, bool):
        return {None: "Null", True: "True", False: "False"}[value]
    names: dict[type, str] = {str: "String", list: "Array", dict: "Object"}
    return names.get(type(value), "Number")


def shown(value: Any) -> str:
    """A JSON value for an error message, cut where it gets long."""
    text = json.dumps(value, default=str)
    return text if len(text) <= 200 else text[:200] + "…"


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")
