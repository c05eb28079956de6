"""Requests for the table of errors, short enough to be read in a row of it."""

import http.client
import json
from typing import Any, NamedTuple

import tensorflow as tf
from tensorflow_serving.apis import (
    classification_pb2,
    get_model_metadata_pb2,
    get_model_status_pb2,
    inference_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
    regression_pb2,
)


class Http(NamedTuple):
    """A REST request; `path` goes out as it is."""

    method: str
    path: str
    body: bytes = b""
    headers: dict[str, str] = {}


def post(call: str, body: Any, **headers: str) -> Http:
    """post("tiny:predict", {…}); a body that is not bytes is sent as JSON."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Http("POST", f"/v1/models/{call}", data, headers)


def get(path: str) -> Http:
    return Http("GET", path)


def ask(port: int, request: Http) -> tuple[int, bytes]:
    """The status and the body, over a connection of its own."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request(request.method, request.path, request.body, request.headers)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def predict(inputs: dict[str, Any], outputs: tuple[str, ...] = (), **spec: Any) -> Any:
    """An input is a TensorProto, or whatever `make_tensor_proto` takes."""
    request = predict_pb2.PredictRequest(output_filter=outputs)
    _fill(request.model_spec, spec)
    for name, value in inputs.items():
        proto = value if hasattr(value, "dtype") else tf.make_tensor_proto(value)
        request.inputs[name].CopyFrom(proto)
    return request


def classify(*features: dict[str, Any], **spec: Any) -> Any:
    """An example for each dict of features."""
    return _on_examples(classification_pb2.ClassificationRequest(), features, spec)


def regress(*features: dict[str, Any], **spec: Any) -> Any:
    return _on_examples(regression_pb2.RegressionRequest(), features, spec)


def multi(*tasks: tuple[str, str], examples: int = 1, **spec: Any) -> Any:
    """A task is a method ("classify") and a signature, or a signature of another model: "no/it"."""
    request = inference_pb2.MultiInferenceRequest()
    for method, signature in tasks:
        name, _, key = signature.rpartition("/")
        task = request.tasks.add(method_name=f"tensorflow/serving/{method}")
        _fill(task.model_spec, {"name": "shared", **spec, "signature": key})
        task.model_spec.name = name or task.model_spec.name
    request.input.example_list.examples.extend([example(x=1.0)] * examples)
    return request


def metadata(*fields: str, **spec: Any) -> Any:
    request = get_model_metadata_pb2.GetModelMetadataRequest(metadata_field=fields)
    _fill(request.model_spec, spec)
    return request


def status(**spec: Any) -> Any:
    request = get_model_status_pb2.GetModelStatusRequest()
    _fill(request.model_spec, spec)
    return request


def without_spec(request: Any) -> Any:
    request.ClearField("model_spec")
    return request


def example(**features: Any) -> tf.train.Example:
    """example(text="a film", x=1.0)"""
    made = tf.train.Example()
    for name, value in features.items():
        feature = made.features.feature[name]
        if isinstance(value, str):
            feature.bytes_list.value.append(value.encode())
        else:
            feature.float_list.value.append(value)
    return made


def stating(*shape: int, dtype: int | None = None, **fields: Any) -> Any:
    """A TensorProto of strings that states a shape, whatever values it has."""
    proto = tf.make_tensor_proto(["a"])
    del proto.tensor_shape.dim[:]
    for size in shape:
        proto.tensor_shape.dim.add().size = size
    if dtype is not None:
        proto.dtype = dtype
    for name, value in fields.items():
        setattr(proto, name, value)
    return proto


def method_of(request: Any, channel: Any) -> Any:
    """The stub's method that takes such a request."""
    prediction = prediction_service_pb2_grpc.PredictionServiceStub(channel)
    status_of = model_service_pb2_grpc.ModelServiceStub(channel).GetModelStatus
    return {
        predict_pb2.PredictRequest: prediction.Predict,
        classification_pb2.ClassificationRequest: prediction.Classify,
        regression_pb2.RegressionRequest: prediction.Regress,
        inference_pb2.MultiInferenceRequest: prediction.MultiInference,
        get_model_metadata_pb2.GetModelMetadataRequest: prediction.GetModelMetadata,
        get_model_status_pb2.GetModelStatusRequest: status_of,
    }[type(request)]


def _on_examples(request: Any, features: tuple[dict[str, Any], ...], spec: Any) -> Any:
    _fill(request.model_spec, spec)
    request.input.example_list.examples.extend(example(**one) for one in features)
    return request


def _fill(model_spec: Any, spec: dict[str, Any]) -> None:
    model_spec.name = spec.get("name", "tiny")
    model_spec.signature_name = spec.get("signature", "")
    if "version" in spec:
        model_spec.version.value = spec["version"]
    if "label" in spec:
        model_spec.version_label = spec["label"]
