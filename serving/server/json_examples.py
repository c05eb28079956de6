"""Classify and Regress in JSON: features to tf.Examples, results to lists.

Source of the rules and of the kinds of message: tensorflow_serving/util/json_tensor.cc.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow.core.example import example_pb2, feature_pb2
from tensorflow_serving.apis import classification_pb2, input_pb2, regression_pb2

from serving.errors import invalid
from serving.server import answers
from serving.server.json_document import base64_bytes, is_base64, json_type, shown
from serving.server.values import fits_float

_KINDS = {"bytes_list": "bytes", "float_list": "float", "int64_list": "int64"}


def input_of(document: Mapping[str, Any]) -> input_pb2.Input:
    """The tf.Examples in `examples`, with those features that are in `context` for all of them.

    input_of({"examples": [{"text": "a film", "stars": [4, 5]}]})   # one tf.Example, two features

    Raises:
        ServingError: INVALID_ARGUMENT for what is no example.
    """
    made = input_pb2.Input()
    examples = made.example_list.examples
    if "context" in document:
        _fill(made.example_list_with_context.context, document["context"])
        examples = made.example_list_with_context.examples
    for value in _examples(document):
        _fill(examples.add(), value)
    return made


def classifications(result: classification_pb2.ClassificationResult) -> dict[str, Any]:
    """`{"results": [[[label, score], …], …]}`, a list for each example.

    Raises:
        ServingError: INTERNAL if a score is not finite, for which JSON has no word.
    """
    rows = result.classifications
    scores = [entry.score for row in rows for entry in row.classes]
    numbers = iter(answers.plain("scores", np.array(scores, np.float32)))
    return {"results": [[[entry.label, next(numbers)] for entry in row.classes] for row in rows]}


def regressions(result: regression_pb2.RegressionResult) -> dict[str, Any]:
    """`{"results": [value, …]}`, one for each example.

    Raises:
        ServingError: INTERNAL if a value is not finite, for which JSON has no word.
    """
    values = np.array([entry.value for entry in result.regressions], np.float32)
    return {"results": answers.plain("outputs", values)}


def _examples(document: Mapping[str, Any]) -> list[Any]:
    if "examples" not in document:
        raise invalid(
            f"JSON Value: {shown(document)} When method is classify, key 'examples' is expected "
            "and was not found"
        )
    examples = document["examples"]
    if not isinstance(examples, list):
        raise invalid(
            f"JSON Value: {shown(document)} Expecting 'examples' value to be an list/array"
        )
    if not examples:
        raise invalid(f"JSON Value: {shown(document)} 'examples' value is an empty array")
    return examples


def _fill(example: example_pb2.Example, value: Any) -> None:
    if not isinstance(value, dict):
        raise invalid(f"Example must be JSON object but got JSON {json_type(value)}")
    for name, content in value.items():
        feature = example.features.feature[name]
        for element in content if isinstance(content, list) else [content]:
            _add(feature, name, element)


def _add(feature: feature_pb2.Feature, name: str, value: Any) -> None:
    kind, element = _element(name, value)
    present = feature.WhichOneof("kind")
    if present not in (None, kind):
        raise invalid(
            f"Unexpected element type in feature: {name} expecting type: {_KINDS[present]}"
        )
    getattr(feature, kind).value.append(element)


def _element(name: str, value: Any) -> tuple[str, bytes | int | float]:
    if isinstance(value, str):
        return "bytes_list", value.encode("utf-8")
    if is_base64(value):
        return "bytes_list", base64_bytes(value)
    if isinstance(value, int) and -(1 << 63) <= value < 1 << 63:
        return "int64_list", int(value)
    if isinstance(value, int) and 0 <= value < 1 << 64:
        raise invalid(f"Feature: {name} has uint64 element. Only int64 is supported.")
    if not isinstance(value, (int, float)):
        raise invalid(f"Feature: {name} has element with unexpected JSON type: {json_type(value)}")
    if not fits_float(value, tf.float32):
        raise invalid(
            f"Cannot convert JSON value: {shown(value)} to float without loss of precision."
        )
    return "float_list", float(value)
