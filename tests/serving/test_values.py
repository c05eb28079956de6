"""JSON to tensors and back, by TF Serving's rules."""

import json
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from serving.errors import Code, ServingError
from serving.server import answers, json_document, values


def signature(**types: Any) -> Any:
    from tensorflow.core.protobuf import meta_graph_pb2

    made = meta_graph_pb2.SignatureDef()
    for name, dtype in types.items():
        made.inputs[name].dtype = dtype.as_datatype_enum
    return made


TEXT = {"text": tf.string}
PAIR = {"text": tf.string, "k": tf.int32}

GOOD = {
    "plain rows": (TEXT, {"instances": ["a", "b"]}, {"text": [b"a", b"b"]}),
    "named rows": (TEXT, {"instances": [{"text": "é"}]}, {"text": ["é".encode()]}),
    "base64": (TEXT, {"instances": [{"b64": "AP8="}]}, {"text": [b"\x00\xff"]}),
    "base64 in a row": (TEXT, {"instances": [{"text": {"b64": "YQ=="}}]}, {"text": [b"a"]}),
    "NUL at the end": (TEXT, {"instances": ["a\0"]}, {"text": [b"a\0"]}),
    "two inputs": (
        PAIR,
        {"instances": [{"text": "a", "k": 1}, {"text": "b", "k": 2}]},
        {"text": [b"a", b"b"], "k": [1, 2]},
    ),
    "one column": (TEXT, {"inputs": ["a"]}, {"text": [b"a"]}),
    "columns": (PAIR, {"inputs": {"text": ["a"], "k": [1]}}, {"text": [b"a"], "k": [1]}),
    "no rows in columns": (TEXT, {"inputs": []}, {"text": []}),
    "a scalar column": (TEXT, {"inputs": "a"}, {"text": b"a"}),
    "nested": ({"x": tf.float32}, {"inputs": [[1, 2.5]]}, {"x": [[1.0, 2.5]]}),
    "an integer beyond 64 bits": (
        {"x": tf.float32},
        {"inputs": [1 << 70]},
        {"x": [float(1 << 70)]},
    ),
    "base64 without padding": (TEXT, {"instances": [{"b64": "YQ"}]}, {"text": [b"a"]}),
    "base64 in lines": (TEXT, {"instances": [{"b64": "YW\nJj"}]}, {"text": [b"abc"]}),
    "booleans": ({"x": tf.bool}, {"inputs": [True]}, {"x": [True]}),
}


@pytest.mark.parametrize(("types", "document", "expected"), GOOD.values(), ids=GOOD.keys())
def test_inputs(types: dict, document: dict, expected: dict) -> None:
    read = values.inputs_of(document, signature(**types))
    assert {name: array.tolist() for name, array in read.items()} == expected
    assert {name: array.dtype for name, array in read.items()} == {
        name: tf.as_dtype(dtype).as_numpy_dtype for name, dtype in types.items()
    }


BAD = {
    "neither": (TEXT, {}, "Missing 'inputs' or 'instances' key"),
    "both": (TEXT, {"inputs": [], "instances": []}, "expecting only one of"),
    "no list": (TEXT, {"instances": "a"}, "to be an list/array"),
    "no rows": (TEXT, {"instances": []}, "No values in 'instances' array"),
    "a number": (TEXT, {"instances": [1]}, "Type: Number is not of expected type: string"),
    "null": (TEXT, {"instances": [None]}, "Type: Null is not of expected type: string"),
    "uneven": (TEXT, {"instances": ["a", ["b"]]}, r"Expecting shape \[\] but got: \[1\]"),
    "uneven size": (TEXT, {"instances": ["a", ["b", "c"]]}, "tensor size: 1 but got: 2"),
    "ragged": (TEXT, {"inputs": [["a"], ["b", "c"]]}, "unexpected size: 2 at level: 1"),
    "too shallow": (TEXT, {"inputs": [["a"], "b"]}, "found at incorrect level"),
    "too deep": (TEXT, {"inputs": ["a", ["b"]]}, "list at unexpected level: 1"),
    "mixed rows": (TEXT, {"instances": [{"text": "a"}, "b"]}, "Expecting object but got list"),
    "row lacks an input": (PAIR, {"instances": [{"text": "a"}]}, "keys must be equal to: k,text"),
    "wrong name": (TEXT, {"instances": [{"txt": "a"}]}, "does not have named input: txt"),
    "plain rows, two inputs": (PAIR, {"instances": ["a"]}, "expecting list of objects"),
    "plain column, two inputs": (PAIR, {"inputs": ["a"]}, "expecting an object"),
    "column missing": (PAIR, {"inputs": {"text": []}}, "Missing named input: k"),
    "bad base64": (TEXT, {"instances": [{"b64": "%"}]}, "Unable to base64 decode"),
    "too many dimensions": (TEXT, {"inputs": json.loads("[" * 40 + "]" * 40)}, "at most 31"),
    "int overflow": (PAIR, {"inputs": {"text": [], "k": [1 << 31]}}, "expected type: int32"),
    "bool for int": ({"k": tf.int32}, {"inputs": [True]}, "Type: True"),
    "float overflow": ({"x": tf.float32}, {"inputs": [1e39]}, "without loss of precision"),
    "not a type of JSON's": ({"x": tf.complex64}, {"inputs": [1]}, "Conversion of JSON"),
}


@pytest.mark.parametrize(("types", "document", "says"), BAD.values(), ids=BAD.keys())
def test_refused_inputs(types: dict, document: dict, says: str) -> None:
    with pytest.raises(ServingError, match=says):
        values.inputs_of(document, signature(**types))


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"", "document is empty"),
        (b"{", "JSON Parse error"),
        (b"[]", "Is not object"),
        (b'{"instances": ["\\ud800"]}', "surrogate pair"),
        (b'{"instances": [1e400]}', "too big"),
        (b'{"instances": ["\xff"]}', "JSON Parse error"),
        (b'{"instances": ' + b"[" * 100_000, "nested too deeply"),
        (b'{"instances": [' + b"9" * 10_000 + b"]}", "JSON Parse error"),
        (b'{"signature_name": 3}', "must be a string value"),
    ],
    ids=[
        "empty",
        "cut",
        "list",
        "surrogate",
        "overflow",
        "UTF-8",
        "deep",
        "long number",
        "signature",
    ],
)
def test_refused_bodies(body: bytes, says: str) -> None:
    with pytest.raises(ServingError, match=says) as caught:
        json_document.signature_name(json_document.parse(body))
    assert caught.value.code is Code.INVALID_ARGUMENT


def test_answers_are_the_shortest_decimals_and_base64_where_not_utf8() -> None:
    outputs = {
        "score": np.array([0.2, 1.0], np.float32),
        "same": np.array([b"\xff", b"a"], dtype=object),
        "raw_bytes": np.array([b"a", b""], dtype=object),
    }
    first, second = json.loads(answers.encode(answers.rows(outputs)))["predictions"]
    assert first == {"score": 0.2, "same": {"b64": "/w=="}, "raw_bytes": {"b64": "YQ=="}}
    assert second == {"score": 1.0, "same": "a", "raw_bytes": {"b64": ""}}


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_answers_that_json_cannot_hold(value: float) -> None:
    with pytest.raises(ServingError, match="output score has NaN or infinite"):
        answers.rows({"score": np.array([value], np.float32)})


def test_numbers_beyond_json_are_read_as_tf_serving_does() -> None:
    document = json_document.parse(b'{"inputs": [NaN, -Infinity, Infinity]}')
    read = values.inputs_of(document, signature(x=tf.float32))["x"]
    np.testing.assert_array_equal(read, np.array([np.nan, -np.inf, np.inf], np.float32))


def test_rows_need_one_batch() -> None:
    with pytest.raises(ServingError, match="inconsistent batch size: 2 expecting: 1"):
        answers.rows({"a": np.zeros([1]), "b": np.zeros([2])})
    with pytest.raises(ServingError, match="no shape information"):
        answers.rows({"a": np.zeros([])})
