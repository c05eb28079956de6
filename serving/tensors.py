"""Tensors on the wire: TensorProto to numpy and back."""

from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow.core.framework import tensor_pb2

from serving.errors import invalid

# A proto may state a shape far larger than the values it carries (the last one is repeated), so a
# few bytes could ask for all the memory there is.
MAX_ELEMENTS = 1 << 26

_FIELDS = {
    tf.float32: ("float_val", np.float32),
    tf.float64: ("double_val", np.float64),
    tf.int32: ("int_val", np.int32),
    tf.int16: ("int_val", np.int32),
    tf.int8: ("int_val", np.int32),
    tf.uint8: ("int_val", np.int32),
    tf.int64: ("int64_val", np.int64),
    tf.uint32: ("uint32_val", np.uint32),
    tf.uint64: ("uint64_val", np.uint64),
    tf.bool: ("bool_val", np.bool_),
    tf.half: ("half_val", np.uint16),
    tf.bfloat16: ("half_val", np.uint16),
}


def to_array(proto: tensor_pb2.TensorProto, name: str) -> np.ndarray:
    """The proto's values in its shape; strings are bytes in an object array.

    Raises:
        ServingError: INVALID_ARGUMENT if values, type and shape do not fit together.
    """
    sizes = [dim.size for dim in proto.tensor_shape.dim]
    if proto.tensor_shape.unknown_rank or min(sizes, default=0) < 0:
        raise invalid(f"tensor parsing error: {name}")
    if int(np.prod(sizes, dtype=object)) > MAX_ELEMENTS:
        raise invalid(f"tensor parsing error: {name} has more than {MAX_ELEMENTS} elements")
    try:
        return tf.make_ndarray(proto)
    except (TypeError, ValueError, IndexError) as error:
        raise invalid(f"tensor parsing error: {name}") from error


def to_proto(array: np.ndarray) -> tensor_pb2.TensorProto:
    """A proto with typed fields (`float_val`, `string_val`, …), as TF Serving answers."""
    dtype = type_of(array)
    if dtype not in _FIELDS and dtype != tf.string:
        return tf.make_tensor_proto(array)
    proto = tensor_pb2.TensorProto(dtype=dtype.as_datatype_enum)
    for size in array.shape:
        proto.tensor_shape.dim.add().size = size
    if dtype == tf.string:
        proto.string_val.extend(_as_bytes(value) for value in array.ravel())
        return proto
    field, carrier = _FIELDS[dtype]
    same_bits = dtype in (tf.half, tf.bfloat16)
    values = array.view(carrier) if same_bits else array.astype(carrier, copy=False)
    getattr(proto, field).extend(values.ravel().tolist())
    return proto


def type_of(array: np.ndarray) -> tf.DType:
    """The TensorFlow type of an array; object, bytes and str arrays are strings."""
    return tf.string if array.dtype.kind in "OSU" else tf.as_dtype(array.dtype)


def name_of(dtype: tf.DType) -> str:
    """A type by the name that TensorFlow's C++ messages give it: `float`, not `float32`."""
    return {"float32": "float", "float64": "double", "float16": "half"}.get(dtype.name, dtype.name)


def strings(values: Any) -> np.ndarray:
    """`[…]` str or bytes as an object array of UTF-8 bytes (numpy's own bytes drop final NULs)."""
    array = np.array(values, dtype=object)
    flat = [_as_bytes(value) for value in array.ravel()]
    result = np.empty(len(flat), dtype=object)
    result[:] = flat
    return result.reshape(array.shape)


def _as_bytes(value: Any) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode("utf-8", "surrogateescape")
