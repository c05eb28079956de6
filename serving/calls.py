"""What a call to TF Serving's API is made of, whoever waits for it: requests, answers, errors."""

from collections.abc import Mapping, Sequence

import grpc
import numpy as np

from serving import tensors
from serving.errors import Code, ServingError, Unreachable
from serving.protos import get_model_status_pb2, model_pb2, predict_pb2

Texts = Sequence[str | bytes] | Mapping[str, Sequence[str | bytes]]

DEFAULT_SIGNATURE = "serving_default"
UNNAMED = "default"  # TF Serving's own name for a model that was given none
# TF Serving has no call that lists its models; a client of ours that was given no name learns the
# names here, from our server's NOT_FOUND. Other clients never look.
NAMES_KEY = "rawbert-models"
_NO_CONNECTION = ("failed to connect", "Connection", "Socket closed")


def model_spec(name: str, version: int | None) -> model_pb2.ModelSpec:
    """Which model to ask; the newest version if none is given."""
    spec = model_pb2.ModelSpec(name=name)
    if version is not None:
        spec.version.value = version
    return spec


def predict_request(
    spec: model_pb2.ModelSpec, texts: Texts, signature: str, outputs: Sequence[str]
) -> predict_pb2.PredictRequest:
    """A PredictRequest with each input as a string tensor `[batch]`.

    Raises:
        TypeError: one text where a list of them belongs, or a text that is no text.
    """
    request = predict_pb2.PredictRequest(model_spec=spec, output_filter=outputs)
    request.model_spec.signature_name = signature
    for key, array in inputs(texts).items():
        tensors.to_proto(array, request.inputs[key])
    return request


def inputs(texts: Texts) -> dict[str, np.ndarray]:
    """The inputs by name: object arrays `[batch]` of UTF-8 bytes.

    Raises:
        TypeError: as `predict_request`.
    """
    by_name = texts if isinstance(texts, Mapping) else {"text": texts}
    return {key: tensors.strings(_checked(key, values)) for key, values in by_name.items()}


def arrays(response: predict_pb2.PredictResponse) -> dict[str, np.ndarray]:
    """The outputs by name: arrays `[batch, …]`, strings as bytes."""
    return {key: tensors.to_array(t, key) for key, t in sorted(response.outputs.items())}


def status_request(spec: model_pb2.ModelSpec) -> get_model_status_pb2.GetModelStatusRequest:
    """Asks for the state of one version, or of all."""
    return get_model_status_pb2.GetModelStatusRequest(model_spec=spec)


def states(response: get_model_status_pb2.GetModelStatusResponse) -> dict[int, str]:
    """The states by version: `{3: "AVAILABLE", 2: "END"}`."""
    name_of = get_model_status_pb2.ModelVersionStatus.State.Name
    return {entry.version: name_of(entry.state) for entry in response.model_version_status}


def only_name(error: grpc.RpcError, target: str) -> str:
    """The name of the only model there is, from a refusal of the unnamed one.

    Raises:
        ServingError: NOT_FOUND if the server has several, or does not say (only ours does);
            any other status is passed on.
    """
    if error.code() is not grpc.StatusCode.NOT_FOUND:
        raise fault(error, target) from error
    names = [str(value) for key, value in error.trailing_metadata() or () if key == NAMES_KEY]
    if len(names) == 1:
        return names[0]
    known = f"It serves {', '.join(names)}." if names else "TF Serving does not tell its models."
    missing = f'{target} has no model named "{UNNAMED}", and no name was given.'
    raise ServingError(Code.NOT_FOUND, f"{missing} {known}") from None


def fault(error: grpc.RpcError, target: str) -> ServingError | Unreachable:
    """The exception that tells a caller of a failed call."""
    code, details = error.code(), error.details() or ""
    if code is grpc.StatusCode.UNAVAILABLE and any(sign in details for sign in _NO_CONNECTION):
        return Unreachable(target, _short(details))
    return ServingError(Code(code.value[0]), details)


def _checked(key: str, values: Sequence[str | bytes]) -> list[str | bytes]:
    if isinstance(values, str | bytes):
        raise TypeError(f"{key} is a single {type(values).__name__}; give a list of texts")
    texts = list(values)
    for number, text in enumerate(texts):
        if not isinstance(text, str | bytes):
            kind = type(text).__name__
            raise TypeError(f"{key}[{number}] is {text!r:.60}, a {kind}; give str or bytes")
    return texts


def _short(details: str) -> str:
    return "connection refused" if "refused" in details.lower() else details.splitlines()[0][:120]
