"""A gRPC client for any server that speaks TF Serving's API.

with Client("127.0.0.1:8500", name="reviews") as client:
    client.predict(["A delight.", "Two hours of my life."])
    # [{"label": "fresh", "score": 0.98, …}, {"label": "rotten", "score": 0.95, …}]
    client.labels(["A delight."])[0].scores  # {"fresh": 0.98, "rotten": 0.02}
"""

import time
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any

import grpc
import numpy as np

from serving import calls
from serving.asked import Asked
from serving.calls import DEFAULT_SIGNATURE, Texts
from serving.channels import Tls, open_channel, probe
from serving.errors import Unreachable
from serving.protos import model_service_pb2_grpc, prediction_service_pb2_grpc
from serving.retries import RETRIES, Tries

__all__ = ["Client", "Texts", "Tls", "probe"]


class Client(Asked):
    """One channel to one server, reused by every call; safe to share between threads.

    Args:
        target: `HOST:PORT` of the gRPC door, or `unix:/path` of its socket.
        name: the model's name. None asks for TF Serving's own default name, `default`, and takes
            the only model there is where the server (ours) says so.
        version: a version of it; the newest by default.
        timeout: seconds that a call may take, all its tries together.
        retries: how often a call is tried again when the server is UNAVAILABLE; 0 is never.
        tls: certificates; None is plain text.
    """

    def __init__(
        self,
        target: str,
        *,
        name: str | None = None,
        version: int | None = None,
        timeout: float = 60.0,
        retries: int = RETRIES,
        tls: Tls | None = None,
    ) -> None:
        self.target, self.version = target, version
        self.timeout, self.retries = timeout, retries
        self._name = name
        self._channel = open_channel(grpc, target, tls)
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

    def predict_arrays(
        self, texts: Texts, signature: str = DEFAULT_SIGNATURE, *, outputs: Sequence[str] = ()
    ) -> dict[str, np.ndarray]:
        """As `predict`, but the outputs as they came: arrays `[batch, …]`, strings as bytes."""
        spec = calls.model_spec(self.name, self.version)
        request = calls.predict_request(spec, texts, signature, outputs)
        return calls.arrays(self._answer(self._prediction.Predict, request))

    def status(self) -> dict[int, str]:
        """The state of every version of the model: `{3: "AVAILABLE", 2: "END"}`.

        Raises:
            ServingError: NOT_FOUND for an unknown model.
            Unreachable: no server answers.
        """
        request = calls.status_request(calls.model_spec(self.name, self.version))
        return calls.states(self._answer(self._model.GetModelStatus, request))

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

    def _ask_name(self) -> str:
        request = calls.status_request(calls.model_spec(calls.UNNAMED, None))
        try:
            self._tried(self._model.GetModelStatus, request)
        except grpc.RpcError as error:
            return calls.only_name(error, self.target)
        return calls.UNNAMED

    def _answer(self, method: Callable[..., Any], request: Any) -> Any:
        try:
            return self._tried(method, request)
        except grpc.RpcError as error:
            raise calls.fault(error, self.target) from error

    def _tried(self, method: Callable[..., Any], request: Any) -> Any:
        tries = Tries(self.retries, self.timeout)
        while True:
            try:
                return method(request, timeout=tries.remaining())
            except grpc.RpcError as error:
                pause = tries.pause_after(error)
                if pause is None:
                    raise
            time.sleep(pause)
