"""Tensors on the wire, against TensorFlow's own reading and writing of them."""

import subprocess
import sys
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from serving import tensors
from serving.errors import ServingError

TYPES = [
    tf.float32, tf.float64, tf.float16, tf.bfloat16, tf.bool,
    tf.int8, tf.int16, tf.int32, tf.int64, tf.uint8, tf.uint16, tf.uint32, tf.uint64,
]  # fmt: skip


@pytest.mark.parametrize("dtype", TYPES, ids=lambda dtype: dtype.name)
def test_numbers_there_and_back(dtype: Any) -> None:
    array = np.array([[0, 1], [1, 100], [0, 1]]).astype(dtype.as_numpy_dtype)
    proto = tensors.to_proto(array)
    assert not proto.tensor_content
    assert tf.make_ndarray(proto).tolist() == array.tolist()
    for sent in (proto, tf.make_tensor_proto(array)):
        back = tensors.to_array(sent, "x")
        assert (back.dtype, back.tolist()) == (array.dtype, array.tolist())


def test_strings_there_and_back() -> None:
    array = tensors.strings([["é", b"\xff\x00"], ["", b"a\x00"]])
    assert array.tolist() == [["é".encode(), b"\xff\x00"], [b"", b"a\x00"]]
    assert tensors.to_array(tensors.to_proto(array), "x").tolist() == array.tolist()
    assert tensors.strings([]).shape == (0,)


@pytest.mark.parametrize(
    ("values", "shape", "expected"),
    [
        ([b"a", b"b"], [4], [b"a", b"b", b"b", b"b"]),
        ([b"a", b"b", b"c"], [2], [b"a", b"b"]),
        ([], [2], [b"", b""]),
        ([], [0], []),
        ([b"a"], [], b"a"),
    ],
    ids=["last repeated", "surplus ignored", "none", "empty", "scalar"],
)
def test_counts_that_do_not_fit_are_read_as_tensorflow_does(
    values: list[bytes], shape: list[int], expected: Any
) -> None:
    proto = tensors.to_proto(tensors.strings(values))
    proto.tensor_shape.CopyFrom(tf.TensorShape(shape).as_proto())
    assert tensors.to_array(proto, "x").tolist() == expected
    theirs = np.asarray(tf.io.parse_tensor(proto.SerializeToString(), tf.string), dtype=object)
    assert theirs.tolist() == expected


@pytest.mark.parametrize(
    "fields",
    [
        {"dtype": 0},
        {"dtype": 7, "tensor_content": b"abc"},
        {"dtype": 1, "tensor_content": b"abc"},
        {"dtype": 8, "scomplex_val": [1.0, 2.0]},
    ],
    ids=["no type", "packed strings", "cut content", "complex"],
)
def test_what_cannot_be_read(fields: dict[str, Any]) -> None:
    proto = type(tensors.to_proto(np.zeros([1])))(**fields)
    with pytest.raises(ServingError, match="tensor parsing error: x"):
        tensors.to_array(proto, "x")


def test_a_client_does_without_tensorflow_and_leaves_it_whole() -> None:
    program = """
import sys
import serving.client
assert "tensorflow" not in sys.modules and "tensorflow.python" not in sys.modules
import tensorflow_text, tensorflow as tf
from serving import tensors
assert tensors.to_array(tf.make_tensor_proto(["a"]), "x").tolist() == [b"a"]
assert tensorflow_text.WhitespaceTokenizer().tokenize(["a b"]).to_list() == [[b"a", b"b"]]
"""
    subprocess.run([sys.executable, "-c", program], check=True)
