"""Tensors on the wire: TensorProto to numpy and back."""

import math
from typing import Any

import ml_dtypes
import numpy as np

from serving.errors import Code, ServingError, invalid
from serving.protos import tensor_pb2, types_pb2

# A proto may state a shape far larger than the values it carries (the last one is repeated), so a
# few bytes could ask for all the memory there is. 64 MiB hold no more elements than these.
MAX_ELEMENTS = 1 << 26
MAX_REPEATED = 1 << 20
MAX_RANK = 32  # numpy's, in its first major version

# DataType -> (the proto's field, the array's type, the type of the field's values)
_FIELDS: dict[int, tuple[str, Any, Any]] = {
    types_pb2.DT_FLOAT: ("float_val", np.float32, np.float32),
    types_pb2.DT_DOUBLE: ("double_val", np.float64, np.float64),
    types_pb2.DT_INT32: ("int_val", np.int32, np.int32),
    types_pb2.DT_INT16: ("int_val", np.int16, np.int32),
    types_pb2.DT_INT8: ("int_val", np.int8, np.int32),
    types_pb2.DT_UINT8: ("int_val", np.uint8, np.int32),
    types_pb2.DT_UINT16: ("int_val", np.uint16, np.int32),
    types_pb2.DT_INT64: ("int64_val", np.int64, np.int64),
    types_pb2.DT_UINT32: ("uint32_val", np.uint32, np.uint32),
    types_pb2.DT_UINT64: ("uint64_val", np.uint64, np.uint64),
    types_pb2.DT_BOOL: ("bool_val", np.bool_, np.bool_),
    types_pb2.DT_HALF: ("half_val", np.float16, np.uint16),
    types_pb2.DT_BFLOAT16: ("half_val", ml_dtypes.bfloat16, np.uint16),
    types_pb2.DT_STRING: ("string_val", object, object),
}
_SAME_BITS = (types_pb2.DT_HALF, types_pb2.DT_BFLOAT16)
_TYPES = {np.dtype(dtype): number for number, (_, dtype, _) in _FIELDS.items()}


def to_array(proto: tensor_pb2.TensorProto, name: str) -> np.ndarray:
    """The proto's values in its shape; strings are bytes in an object array.

    As TensorFlow reads it (`Tensor::FromProto`, tensorflow/core/framework/tensor.cc): the last
    value is repeated where there are too few, surplus ones are ignored, none at all means zeros.

    Raises:
        ServingError: INVALID_ARGUMENT if values, type and shape do not fit together.
    """
    shape = [dim.size for dim in proto.tensor_shape.dim]
    wrong_shape = proto.tensor_shape.unknown_rank or min(shape, default=0) < 0
    if proto.dtype not in _FIELDS or wrong_shape or len(shape) > MAX_RANK:
        raise invalid(f"tensor parsing error: {name}")
    size = math.prod(shape)
    if size > MAX_ELEMENTS:
        raise invalid(f"tensor parsing error: {name} has more than {MAX_ELEMENTS} elements")
    if proto.tensor_content:
        return _from_content(proto, size, name).reshape(shape)
    values = _from_field(proto)
    if size - len(values) > MAX_REPEATED:
        raise invalid(
            f"tensor parsing error: {name} has more than {MAX_REPEATED} elements without a value"
        )
    return _filled(values, size).reshape(shape)


def to_proto(
    array: np.ndarray, proto: tensor_pb2.TensorProto | None = None
) -> tensor_pb2.TensorProto:
    """A proto with typed fields (`float_val`, `string_val`, …), as TF Serving answers.

    Args:
        array: its values.
        proto: to be filled: an empty one within a message, which would else be copied.
    """
    proto = tensor_pb2.TensorProto() if proto is None else proto
    number = type_of(array)
    field, _, carrier = _FIELDS[number]
    proto.dtype = number
    proto.tensor_shape.SetInParent()  # a scalar has a shape, too: one without dimensions
    for size in array.shape:
        proto.tensor_shape.dim.add(size=size)
    if number == types_pb2.DT_STRING:
        values = [_as_bytes(value) for value in array.ravel()]
    elif number in _SAME_BITS:
        values = array.view(carrier).ravel().tolist()
    else:
        values = array.astype(carrier, copy=False).ravel().tolist()
    getattr(proto, field).extend(values)
    return proto


def type_of(array: np.ndarray) -> int:
    """The DataType of an array; object, bytes and str arrays are strings.

    Raises:
        ServingError: UNIMPLEMENTED for types that are not carried (complex, quantised).
    """
    if array.dtype.kind in "OSU":
        return types_pb2.DT_STRING
    number = _TYPES.get(array.dtype)
    if number is None:
        raise ServingError(Code.UNIMPLEMENTED, f"tensors of {array.dtype} are not carried")
    return number


def name_of(number: int) -> str:
    """A DataType by the name that TensorFlow's messages give it: `float`, `int32`, `string`."""
    return types_pb2.DataType.Name(number).removeprefix("DT_").lower()


def strings(values: Any) -> np.ndarray:
    """`[…]` str or bytes as an object array of UTF-8 bytes (numpy's own bytes drop final NULs)."""
    array = np.array(values, dtype=object)
    flat = np.empty(array.size, dtype=object)
    flat[:] = [_as_bytes(value) for value in array.ravel()]
    return flat.reshape(array.shape)


def _from_content(proto: tensor_pb2.TensorProto, size: int, name: str) -> np.ndarray:
    dtype = np.dtype(_FIELDS[proto.dtype][1])
    if dtype.hasobject or len(proto.tensor_content) != size * dtype.itemsize:
        raise invalid(f"tensor parsing error: {name}")
    return np.frombuffer(proto.tensor_content, dtype)


def _from_field(proto: tensor_pb2.TensorProto) -> np.ndarray:
    field, dtype, carrier = _FIELDS[proto.dtype]
    values = getattr(proto, field)
    array = np.empty(len(values), dtype=carrier)
    array[:] = [value & 0xFFFF for value in values] if proto.dtype in _SAME_BITS else list(values)
    return array.view(dtype) if proto.dtype in _SAME_BITS else array.astype(dtype)


def _filled(values: np.ndarray, size: int) -> np.ndarray:
    if len(values) >= size:
        return values[:size]
    missing = size - len(values)
    if len(values):
        return np.concatenate([values, np.repeat(values[-1:], missing)])
    last = b"" if values.dtype == object else 0
    return np.full(size, last, dtype=values.dtype)


def _as_bytes(value: Any) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode("utf-8", "surrogateescape")
