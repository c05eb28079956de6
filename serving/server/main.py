"""Starts and stops the embedded server.

with start("out/reviews/serving/reviews", port=0, rest_port=None) as server:
    Client(server.target, name=server.name).predict(["A delight."])
"""

import os
import socket
import threading
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

import grpc

from serving.errors import NotAModel
from serving.server import listen
from serving.server.versions import BasePath, open_base_path

if TYPE_CHECKING:
    from serving.server.models import Models

GRACE_SECONDS = 30.0


class RunningServer:
    """A server that answers; stop it, or use it as a context manager.

    Attributes: `name` of the model, `host`, `port` (gRPC), `rest_port` (None without REST),
    `target` ("host:port" for a gRPC client) and `version` (the one served now).
    """

    def __init__(self, doors: "Doors", name: str, models: "Models", threads: int) -> None:
        self.name, self.models = name, models
        self.host, self.port, self.rest_port = doors.host, doors.port, doors.rest_port
        self._stopped = threading.Event()
        self._grpc = doors.grpc_server
        self._rest = None
        if doors.rest_socket is not None:
            from serving.server.rest import application

            app = application(models, threads)
            self._rest = listen.RestServer(app, doors.rest_socket, GRACE_SECONDS)
        self._grpc.start()

    @property
    def target(self) -> str:
        """The address for a gRPC client on this machine."""
        return listen.address(_reachable(self.host), self.port)

    @property
    def version(self) -> int:
        """The version of the model that is served now."""
        return self.models.version_of(self.name)

    def wait(self, timeout: float | None = None) -> bool:
        """Blocks until the server is stopped; False if the time passed first."""
        return self._stopped.wait(timeout)

    def stop(self, grace: float = GRACE_SECONDS) -> None:
        """Drains: refuses new requests, finishes those under way, frees the model."""
        if self._stopped.is_set():
            return
        ended = self._grpc.stop(grace)
        if self._rest:
            self._rest.stop()
        ended.wait()
        self.models.close()
        self._stopped.set()

    def __enter__(self) -> "RunningServer":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()


class Doors:
    """The ports of a server, held from the moment of construction.

    Raises:
        PortInUse, OSError: one of them cannot be had; none is held then.
    """

    def __init__(self, host: str, port: int, rest_port: int | None, threads: int) -> None:
        self.host = host
        self.rest_socket: socket.socket | None = None
        if rest_port is not None:
            self.rest_socket = listen.bound_socket(host, rest_port, "--rest-port")
        self.rest_port = self.rest_socket.getsockname()[1] if self.rest_socket else None
        try:
            self.grpc_server, self.port = listen.open_grpc(host, port, threads)
        except OSError:
            self._close_rest()
            raise

    def close(self) -> None:
        """Gives the ports back, for a start that failed later."""
        self._close_rest()
        # A gRPC server that was never started ignores `stop` and keeps its port.
        self.grpc_server.start()
        self.grpc_server.stop(None).wait()

    def _close_rest(self) -> None:
        if self.rest_socket:
            self.rest_socket.close()


def start(
    path: str | Path,
    *,
    name: str | None = None,
    host: str = "127.0.0.1",
    port: int = 8500,
    rest_port: int | None = 8501,
    poll_seconds: float = 1.0,
    threads: int | None = None,
    opened: Callable[[str, int, int | None], None] | None = None,
) -> RunningServer:
    """Loads the newest version under `path`, warms it, and answers.

    Args:
        path: a base path with numbered versions, or one version, which is then pinned.
        name: the model's name for clients; the base folder's by default.
        port: for gRPC; 0 takes any free port.
        rest_port: for REST; 0 takes any free port, None is no REST.
        poll_seconds: how often to look for new versions; 0 never.
        threads: requests run at once, for each protocol; 4 times the cores, at least 16.
        opened: called with host, port and REST port once they are held, before the model loads.

    Raises:
        NotAModel: nothing at `path` can be served.
        PortInUse, OSError: a port cannot be had. Both are known before TensorFlow is imported.
    """
    base_path = open_base_path(path)
    threads = threads or max(16, 4 * (os.cpu_count() or 1))
    doors = Doors(host, port, rest_port, threads)
    if opened:
        opened(doors.host, doors.port, doors.rest_port)
    try:
        models = _load(name or base_path.default_name, base_path, doors.grpc_server)
    except BaseException:
        doors.close()
        raise
    models.watch(poll_seconds)
    return RunningServer(doors, models.names[0], models, threads)


def _load(name: str, base_path: BasePath, server: grpc.Server) -> "Models":
    # Importing TensorFlow takes seconds: a wrong path or a taken port is told without it.
    from serving.server import grpc_service, model_service
    from serving.server.model import Model
    from serving.server.models import Models

    model = Model(name, base_path)
    model.refresh()
    if model.version is None:
        reasons = "; ".join(f"version {v}: {s.message}" for v, s in model.states.items())
        raise NotAModel(base_path.path, reasons, "No version can be served.")
    models = Models([model])
    grpc_service.add_service(server, models)
    model_service.add_service(server, models)
    return models


def _reachable(host: str) -> str:
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
