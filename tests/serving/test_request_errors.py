"""Errors as a table: what is asked, over which protocol, with which code and kind of message.

Codes and messages are those of tensorflow/serving 2.16, read in the files named per group.
"""

import re
from collections.abc import Callable
from typing import Any

import grpc
import pytest
import tensorflow as tf
from tensorflow_serving.apis import (
    classification_pb2,
    get_model_metadata_pb2,
    get_model_status_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
    regression_pb2,
)

TEXT = {"text": ["a"]}


def predict(inputs: dict[str, Any], outputs: tuple[str, ...] = (), **spec: Any) -> Any:
    request = predict_pb2.PredictRequest(output_filter=outputs)
    _fill(request.model_spec, spec)
    for name, value in inputs.items():
        proto = value if hasattr(value, "dtype") else tf.make_tensor_proto(value)
        request.inputs[name].CopyFrom(proto)
    return request


def classify(*texts: str, request: Any = None, **spec: Any) -> Any:
    request = request or classification_pb2.ClassificationRequest()
    _fill(request.model_spec, spec)
    for text in texts:
        feature = request.input.example_list.examples.add().features.feature["text"]
        feature.bytes_list.value.append(text.encode())
    return request


def metadata(*fields: str, **spec: Any) -> Any:
    request = get_model_metadata_pb2.GetModelMetadataRequest(metadata_field=fields)
    _fill(request.model_spec, spec)
    return request


def status(**spec: Any) -> Any:
    request = get_model_status_pb2.GetModelStatusRequest()
    _fill(request.model_spec, spec)
    return request


def _fill(model_spec: Any, spec: dict[str, Any]) -> None:
    model_spec.name = spec.get("name", "tiny")
    model_spec.signature_name = spec.get("signature", "")
    if "version" in spec:
        model_spec.version.value = spec["version"]
    if "label" in spec:
        model_spec.version_label = spec["label"]


def liar(values: int, *shape: int) -> Any:
    """A proto that states another shape than it has values for."""
    proto = tf.make_tensor_proto(["a"] * values)
    del proto.tensor_shape.dim[:]
    for size in shape:
        proto.tensor_shape.dim.add().size = size
    return proto


def regress(*texts: str, **spec: Any) -> Any:
    return classify(*texts, request=regression_pb2.RegressionRequest(), **spec)


GRPC = {
    # model_servers/server_core.cc, core/basic_manager.cc
    "no spec": (predict_pb2.PredictRequest(), "INVALID_ARGUMENT", "Missing ModelSpec"),
    "no name": (predict(TEXT, name=""), "INVALID_ARGUMENT", "no name specified"),
    "unknown model": (
        predict(TEXT, name="no"),
        "NOT_FOUND",
        r"Servable not found for request: Latest\(no\)",
    ),
    "unknown version": (predict(TEXT, version=9), "NOT_FOUND", r"Specific\(tiny, 9\)"),
    "unknown label": (predict(TEXT, label="canary"), "INVALID_ARGUMENT", "label: canary"),
    # servables/tensorflow/predict_util.cc
    "unknown signature": (
        predict(TEXT, signature="no"),
        "FAILED_PRECONDITION",
        'Serving signature key "no" not found.',
    ),
    "no input": (predict({}), "INVALID_ARGUMENT", r"0!=1 .*Missing but required: \{text\}"),
    "one too many": (
        predict({"text": ["a"], "more": ["b"]}),
        "INVALID_ARGUMENT",
        r"2!=1 .*Sent extra: \{more\}",
    ),
    "wrong input": (predict({"txt": ["a"]}), "INVALID_ARGUMENT", "alias not found.*: txt"),
    "unknown output": (predict(TEXT, ("no",)), "INVALID_ARGUMENT", "alias not found.*: no"),
    "output twice": (predict(TEXT, ("score", "score")), "INVALID_ARGUMENT", "duplicate output"),
    # core/common_runtime/direct_session.cc, framework/tensor.cc
    "wrong type": (
        predict({"text": [1.5]}),
        "INVALID_ARGUMENT",
        r"Expects arg\[0\] to be string but float is provided",
    ),
    "wrong rank": (predict({"text": [["a"]]}), "INVALID_ARGUMENT", "must have shape"),
    "a scalar": (predict({"text": "a"}), "INVALID_ARGUMENT", "must have shape"),
    "negative size": (predict({"text": liar(1, -2)}), "INVALID_ARGUMENT", "parsing error: text"),
    "a size of lies": (
        predict({"text": liar(1, 1 << 40)}),
        "INVALID_ARGUMENT",
        "parsing error: text has more than",
    ),
    # servables/tensorflow/classifier.cc, regressor.cc, util.cc
    "classify, unknown signature": (
        classify("a", signature="no"),
        "INVALID_ARGUMENT",
        "No signature was found with the name: no",
    ),
    "classify by serving_default": (
        classify("a"),
        "INVALID_ARGUMENT",
        "method_name to be tensorflow/serving/classify. Was: tensorflow/serving/predict",
    ),
    "classify nothing": (classify(signature="classify"), "INVALID_ARGUMENT", "Input is empty."),
    "regress by classify": (
        regress("a", signature="classify"),
        "INVALID_ARGUMENT",
        "Expected regression signature method_name",
    ),
    "malformed Example": (
        predict({"inputs": [b"\xff"]}, signature="classify"),
        "INVALID_ARGUMENT",
        "Could not parse example input",
    ),
    # servables/tensorflow/get_model_metadata_impl.cc
    "no metadata field": (metadata(), "INVALID_ARGUMENT", "at least one metadata_field"),
    "unknown field": (metadata("no"), "INVALID_ARGUMENT", "is not supported"),
    "metadata of no model": (metadata("signature_def", name="no"), "NOT_FOUND", "Latest"),
    # model_servers/get_model_status_impl.cc
    "status of no model": (status(name="no"), "NOT_FOUND", "any versions of model no"),
    "status of no version": (status(version=9), "NOT_FOUND", "version 9 of model tiny"),
}


@pytest.mark.parametrize(("request_", "code", "says"), GRPC.values(), ids=GRPC.keys())
def test_over_grpc(server: Any, request_: Any, code: str, says: str) -> None:
    with grpc.insecure_channel(server.target) as channel:
        prediction = prediction_service_pb2_grpc.PredictionServiceStub(channel)
        calls = {
            predict_pb2.PredictRequest: prediction.Predict,
            classification_pb2.ClassificationRequest: prediction.Classify,
            regression_pb2.RegressionRequest: prediction.Regress,
            get_model_metadata_pb2.GetModelMetadataRequest: prediction.GetModelMetadata,
            get_model_status_pb2.GetModelStatusRequest: model_service_pb2_grpc.ModelServiceStub(
                channel
            ).GetModelStatus,
        }
        with pytest.raises(grpc.RpcError) as caught:
            calls[type(request_)](request_, timeout=60)
    assert caught.value.code().name == code
    assert re.search(says, caught.value.details())


TINY = "/v1/models/tiny:predict"
ONE = {"instances": ["a"]}

# model_servers/http_rest_api_util.cc, http_rest_api_handler.cc, util/json_tensor.cc
REST = {
    "unknown model": ("/v1/models/no:predict", ONE, 404, r"Latest\(no\)"),
    "unknown version": ("/v1/models/tiny/versions/9:predict", ONE, 404, r"Specific\(tiny, 9\)"),
    "huge version": ("/v1/models/tiny/versions/9" + "9" * 30, None, 400, "convert version"),
    "unknown label": ("/v1/models/tiny/labels/canary:predict", ONE, 400, "label: canary"),
    "unknown verb": ("/v1/models/tiny:explain", ONE, 400, "Malformed request: POST /v1/models/"),
    "a dotted path": ("/v1/models/../etc:predict", ONE, 400, "Malformed request"),
    "an escaped path": ("/v1/models/..%2Fetc:predict", ONE, 404, r"Latest\(\.\./etc\)"),
    "no such place": ("/metrics", None, 404, "Malformed request: GET /metrics"),
    "no model name": ("/v1/models", None, 400, "Missing model name"),
    "status of no model": ("/v1/models/no", None, 404, "any versions of model no"),
    "empty body": (TINY, b"", 400, "document is empty"),
    "no JSON": (TINY, b"{", 400, "JSON Parse error"),
    "NaN": (TINY, b'{"instances": [NaN]}', 400, "NaN is not JSON"),
    "deep": (TINY, b'{"instances": ' + b"[" * 50_000, 400, "JSON Parse error"),
    "neither key": (TINY, {"texts": ["a"]}, 400, "Missing 'inputs' or 'instances' key"),
    "unknown signature": (TINY, {"signature_name": "no", **ONE}, 400, 'name: "no" not found'),
    "wrong type": (TINY, {"instances": [1]}, 400, "not of expected type: string"),
    "wrong input": (TINY, {"instances": [{"txt": "a"}]}, 400, "must be equal to: text"),
    "wrong rank": (TINY, {"instances": [["a"]]}, 400, "must have shape"),
    "not UTF-8": (TINY, b'{"instances": ["\xff"]}', 400, "JSON Parse error"),
    "malformed Example": (
        TINY,
        {"signature_name": "classify", "instances": [{"b64": "/w=="}]},
        400,
        "Could not parse example input",
    ),
    "an answer JSON cannot hold": (
        TINY,
        {"signature_name": "numbers", "instances": [{"x": [0, 0], "k": 0}]},
        500,
        "output inverse has NaN or infinite values",
    ),
}


@pytest.mark.parametrize(("path", "body", "code", "says"), REST.values(), ids=REST.keys())
def test_over_rest(rest: Callable, path: str, body: Any, code: int, says: str) -> None:
    got, answer = rest(path, body)
    assert (got, set(answer)) == (code, {"error"})
    assert re.search(says, answer["error"])


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH"])
def test_other_methods_are_malformed(rest: Callable, method: str) -> None:
    assert rest(TINY, b"{}", method) == (400, {"error": f"Malformed request: {method} {TINY}"})


def test_the_server_lives_after_all_this(client: Any) -> None:
    assert client.predict(["a"])[0]["label"] == "rotten"
