"""A gRPC client for any server that speaks TF Serving's API.

with Client("127.0.0.1:8500", name="reviews") as client:
    client.predict(["A delight.", "Two hours of my life."])
    # [{"label": "fresh", "score": 0.98, …}, {"label": "rotten", "score": 0.95, …}]
"""

import contextlib
import socket
from collections.abc import Iterator, Mapping, Sequence
from types import TracebackType
from typing import Any

import grpc
import numpy as np

from serving import tensors
from serving.errors import Code, ServingError, Unreachable
from serving.protos import (
    get_model_status_pb2,
    model_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
)
from serving.rows import rows

Texts = Sequence[str | bytes] | Mapping[str, Sequence[str | bytes]]

_NAMES_KEY = "rawbert-models"
_UNNAMED = "default"
_OPTIONS = [
    ("grpc.max_receive_message_length", -1),
    ("grpc.max_send_message_length", -1),
    # A client that waits for a server to come up should not wait for gRPC's two-minute backoff.
    ("grpc.max_reconnect_backoff_ms", 1000),
]


class Client:
    """One channel to one server, reused by every call; safe to share between threads.

    Args:
        target: `HOST:PORT` of the gRPC door.
        name: the model's name. None asks for TF Serving's own default name, `default`, and takes
            the only model there is where the server (ours) says so.
        version: a version of it; the newest by default.
        timeout: seconds that a call may take.
    """

    def __init__(
        self,
        target: str,
        *,
        name: str | None = None,
        version: int | None = None,
        timeout: float = 60.0,
    ) -> None:
        self.target, self.version, self.timeout = target, version, timeout
        self._name = name
        self._channel = grpc.insecure_channel(target, options=_OPTIONS)
        self._prediction = prediction_service_pb2_grpc.PredictionServiceStub(self._channel)
        self._model = model_service_pb2_grpc.ModelServiceStub(self._channel)

    @property
    def name(self) -> str:
        """The model's name, asked for once if none was given.

        Raises:
            ServingError: NOT_FOUND if the server has no model `default` and does not say which.
        """
        if self._name is None:
            self._name = self._ask_name()
        return self._name

    def predict(
        self,
        texts: Texts,
        signature: str = "serving_default",
        *,
        outputs: Sequence[str] = (),
    ) -> list[dict[str, Any]]:
        """One dict a text, of plain Python values by output name, widths cut to true lengths.

        Args:
            texts: the texts, or the inputs by name (`{"text": […], "text_pair": […]}`).
            signature: which signature to run.
            outputs: only these outputs; all by default.

        Raises:
            ServingError: the server refuses, with its code and message.
            Unreachable: no server answers.
        """
        return rows(self.predict_arrays(texts, signature, outputs=outputs))

    def predict_arrays(
        self,
        texts: Texts,
        signature: str = "serving_default",
        *,
        outputs: Sequence[str] = (),
    ) -> dict[str, np.ndarray]:
        """As `predict`, but the outputs as they came: arrays `[batch, …]`, strings as bytes."""
        inputs = texts if isinstance(texts, Mapping) else {"text": texts}
        request = predict_pb2.PredictRequest(output_filter=outputs)
        request.model_spec.CopyFrom(self._spec())
        request.model_spec.signature_name = signature
        for key, values in inputs.items():
            request.inputs[key].CopyFrom(tensors.to_proto(tensors.strings(list(values))))
        with self._errors():
            response = self._prediction.Predict(request, timeout=self.timeout)
        return {key: tensors.to_array(t, key) for key, t in sorted(response.outputs.items())}

    def status(self) -> dict[int, str]:
        """The state of every version of the model: `{3: "AVAILABLE", 2: "END"}`.

        Raises:
            ServingError: NOT_FOUND for an unknown model.
            Unreachable: no server answers.
        """
        with self._errors():
            return self._states(self._spec())

    def wait(self, seconds: float) -> None:
        """Waits until the server takes connections.

        Raises:
            Unreachable: it does not within the time.
        """
        try:
            grpc.channel_ready_future(self._channel).result(seconds)
        except grpc.FutureTimeoutError:
            raise Unreachable(self.target, f"not within {seconds:g} seconds") from None

    def close(self) -> None:
        """Closes the channel."""
        self._channel.close()

    def __enter__(self) -> "Client":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _spec(self) -> model_pb2.ModelSpec:
        spec = model_pb2.ModelSpec(name=self.name)
        if self.version is not None:
            spec.version.value = self.version
        return spec

    def _states(self, spec: model_pb2.ModelSpec) -> dict[int, str]:
        request = get_model_status_pb2.GetModelStatusRequest(model_spec=spec)
        response = self._model.GetModelStatus(request, timeout=self.timeout)
        name_of = get_model_status_pb2.ModelVersionStatus.State.Name
        return {entry.version: name_of(entry.state) for entry in response.model_version_status}

    def _ask_name(self) -> str:
        with self._errors():
            try:
                self._states(model_pb2.ModelSpec(name=_UNNAMED))
            except grpc.RpcError as error:
                if error.code() is not grpc.StatusCode.NOT_FOUND:
                    raise
                names = [value for key, value in error.trailing_metadata() if key == _NAMES_KEY]
                if len(names) == 1:
                    return str(names[0])
                raise ServingError(Code.NOT_FOUND, _which(self.target, names)) from None
        return _UNNAMED

    @contextlib.contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except grpc.RpcError as error:
            code, details = error.code(), error.details() or ""
            connected = "failed to connect" not in details and "Connection" not in details
            if code is grpc.StatusCode.UNAVAILABLE and not connected:
                raise Unreachable(self.target, _short(details)) from error
            raise ServingError(Code(code.value[0]), details) from error


def probe(target: str, seconds: float = 5.0) -> None:
    """Whether anything listens at the address, known at once.

    Raises:
        Unreachable: nothing does, or the address is none.
    """
    host, _, port = target.rpartition(":")
    try:
        socket.create_connection((host.strip("[]"), int(port)), seconds).close()
    except ValueError:
        raise Unreachable(target, "not of the form HOST:PORT") from None
    except OSError as error:
        raise Unreachable(target, (error.strerror or str(error)).lower()) from error


def _which(target: str, names: Sequence[str]) -> str:
    known = f"It serves {', '.join(names)}." if names else "TF Serving does not tell its models."
    return f'{target} has no model named "{_UNNAMED}", and no name was given. {known}'


def _short(details: str) -> str:
    return "connection refused" if "refused" in details.lower() else details.splitlines()[0][:120]
