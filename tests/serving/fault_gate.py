"""A door of faults before a real server: refuses, delays and counts, and passes the rest on."""

import contextlib
import threading
import time
from collections.abc import Iterator
from concurrent import futures
from typing import Any

import grpc
from tensorflow_serving.apis import prediction_service_pb2_grpc as service


class Gate(service.PredictionServiceServicer):
    """What a server in trouble does to a client.

    Attributes:
        refusals: codes of the next calls, used up one by one; then calls are passed on.
        delay: seconds that a call is held before it is passed on.
        calls: how many came.
        most_at_once: the most that were under way together.
        deadlines: seconds that each call had left when it came.
    """

    def __init__(self, target: str) -> None:
        self._channel = grpc.insecure_channel(target)
        self._behind = service.PredictionServiceStub(self._channel)
        self._lock = threading.Lock()
        self.refusals: list[grpc.StatusCode] = []
        self.delay, self.calls, self.most_at_once, self._inside = 0.0, 0, 0, 0
        self.deadlines: list[float] = []

    def Predict(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802
        with self._counted(context):
            if self.refusals:
                context.abort(self.refusals.pop(0), "not now")
            time.sleep(self.delay)
            try:
                return self._behind.Predict(request)
            except grpc.RpcError as error:
                context.abort(error.code(), error.details())

    @contextlib.contextmanager
    def _counted(self, context: grpc.ServicerContext) -> Iterator[None]:
        with self._lock:
            self.calls += 1
            self._inside += 1
            self.most_at_once = max(self.most_at_once, self._inside)
            self.deadlines.append(context.time_remaining())
        try:
            yield
        finally:
            with self._lock:
                self._inside -= 1


@contextlib.contextmanager
def gate_before(
    target: str, address: str = "127.0.0.1:0", credentials: grpc.ServerCredentials | None = None
) -> Iterator[tuple[str, Gate]]:
    """Opens one; gives its own target and the gate."""
    gate = Gate(target)
    server = grpc.server(futures.ThreadPoolExecutor(32))
    service.add_PredictionServiceServicer_to_server(gate, server)
    if credentials:
        port = server.add_secure_port(address, credentials)
    else:
        port = server.add_insecure_port(address)
    server.start()
    try:
        yield (address if address.startswith("unix:") else f"127.0.0.1:{port}"), gate
    finally:
        server.stop(None).wait()
        gate._channel.close()
