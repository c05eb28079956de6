"""Starts and stops the embedded server.

with start("out/reviews/serving/reviews", port=0, rest_port=None) as server:
    Client(server.target, name=server.name).predict(["A delight."])
"""

import logging
import socket
import threading
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from starlette.routing import Route

from serving.errors import BadConfig, Code, NotAModel, ServingError
from serving.server import demo, listen
from serving.server.from_flags import read_models
from serving.server.metrics import Metrics
from serving.server.observed import ObservedGrpc, ObservedRest, page
from serving.server.settings import Settings
from serving.server.versions import check_versions, open_base_path
from serving.server.wanted import WantedModel

if TYPE_CHECKING:
    from serving.server.models import Models

_log = logging.getLogger(__name__)

GRACE_SECONDS = 30.0
Opened = Callable[[str, int, int | None], None]


class RunningServer:
    """A server that answers; stop it, or use it as a context manager.

    Attributes: `name` of the first model, `host`, `port` (gRPC), `rest_port` (None without REST),
    `target` ("host:port" for a gRPC client) and `version` (the newest one of the first model).
    """

    def __init__(self, doors: "Doors", models: "Models", name: str) -> None:
        self.name, self.models, self.metrics = name, models, doors.metrics
        self.host, self.port, self.rest_port = doors.settings.host, doors.port, doors.rest_port
        self._demo = doors.settings.demo
        self._stopped = threading.Event()
        self._grpc = doors.grpc_server
        self._rest = None
        if doors.rest_socket is not None:
            app = _rest_application(doors, models)
            self._rest = listen.RestServer(app, doors.rest_socket, GRACE_SECONDS)
        self._grpc.start()

    @property
    def target(self) -> str:
        """The address for a gRPC client on this machine."""
        return listen.address(_reachable(self.host), self.port)

    @property
    def demo_url(self) -> str | None:
        """Where a browser on this machine finds the demo page."""
        if not self._demo or self.rest_port is None:
            return None
        return f"http://{listen.address(_reachable(self.host), self.rest_port)}{demo.PATH}"

    @property
    def version(self) -> int:
        """The newest version of the first model that is served now."""
        return self.models.version_of(self.name)

    def wait(self, timeout: float | None = None) -> bool:
        """Blocks until the server is stopped; False if the time passed first."""
        return self._stopped.wait(timeout)

    def stop(self, grace: float = GRACE_SECONDS) -> None:
        """Drains: refuses new requests, finishes those under way, frees the models."""
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

    def __init__(self, settings: Settings) -> None:
        self.settings, self.metrics = settings, Metrics()
        self.known: Callable[[str], bool] = lambda name: False
        self.rest_socket: socket.socket | None = None
        if settings.rest_port is not None:
            self.rest_socket = listen.bound_socket(settings.host, settings.rest_port, "--rest-port")
        self.rest_port = self.rest_socket.getsockname()[1] if self.rest_socket else None
        counting = [ObservedGrpc(self.metrics, lambda name: self.known(name))]
        try:
            self.grpc_server, self.port = listen.open_grpc(settings, counting)
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
    opened: Opened | None = None,
    **settings: Any,
) -> RunningServer:
    """Loads the newest version under `path`, warms it, and answers.

    Args:
        path: a base path with numbered versions, or one version, which is then pinned.
        name: the model's name for clients; the base folder's by default.
        opened: called with host, port and REST port once they are held, before the model loads.
        settings: fields of `Settings`.

    Raises:
        NotAModel: nothing at `path` can be served.
        PortInUse, OSError: a port cannot be had. Both are known before TensorFlow is imported.
    """
    base_path = open_base_path(path)
    wanted = WantedModel(name or base_path.default_name, base_path)
    return serve(Settings((wanted,), **settings), opened)


def serve(settings: Settings, opened: Opened | None = None) -> RunningServer:
    """Loads all models of the settings, warms them, and answers.

    Raises:
        NotAModel: a model has no version that can be served.
        BadConfig: a label is given to a version that is not loaded.
        PortInUse, OSError: a port cannot be had.
    """
    for wanted in settings.models:
        check_versions(wanted.base_path)
    doors = Doors(settings)
    if opened:
        opened(settings.host, doors.port, doors.rest_port)
    try:
        models = _load(settings, doors)
    except BaseException:
        doors.close()
        raise
    models.watch(settings.poll_seconds)
    if settings.config_file:
        models.watch(settings.config_poll_seconds, _ConfigWatch(settings.config_file, models))
    return RunningServer(doors, models, settings.models[0].name if settings.models else "")


def _load(settings: Settings, doors: Doors) -> "Models":
    # Importing TensorFlow takes seconds: a wrong path or a taken port is told without it.
    from serving.server import grpc_service, model_service
    from serving.server.models import Models

    models = Models(settings.loading, settings.retries, settings.unavailable_labels)
    doors.known = lambda name: name in models.names
    try:
        models.apply(settings.models)
    except ServingError as error:
        models.close()
        if error.code is Code.FAILED_PRECONDITION:
            raise BadConfig(str(settings.config_file), _labels_at_start(error)) from error
        where = ", ".join(str(wanted.base_path.path) for wanted in settings.models)
        raise NotAModel(where, error.message, "No version can be served.") from error
    grpc_service.add_service(doors.grpc_server, models)
    model_service.add_service(doors.grpc_server, models)
    return models


def _labels_at_start(error: ServingError) -> str:
    return (
        f"{error.message}. TF Serving refuses every label at its start, when nothing is loaded yet:"
        " give --allow_version_labels_for_unavailable_models, or add labels later"
    )


class _ConfigWatch:
    """Reads the config file again and applies it when it has changed."""

    def __init__(self, path: Path, models: "Models") -> None:
        self._path, self._models = path, models
        self._applied = path.read_bytes()

    def __call__(self) -> None:
        try:
            text = self._path.read_bytes()
            if text == self._applied:
                return
            self._models.apply(read_models(self._path))
            self._applied = text
            _log.info("%s was read again: %s", self._path, ", ".join(self._models.names))
        except (BadConfig, OSError, ServingError) as error:
            _log.error("the models stay as they are: %s", error)


def _rest_application(doors: Doors, models: "Models") -> Any:
    from serving.server.rest import application

    settings = doors.settings
    routes = [Route(settings.metrics_path, page(doors.metrics))] if settings.metrics_path else []
    if settings.demo:
        routes += demo.routes(lambda: models.names)
    app = application(
        models,
        settings.rest_threads,
        allow_origins=settings.rest_origins,
        routes=routes,
        timeout_seconds=settings.rest_timeout_seconds,
    )
    return ObservedRest(app, doors.metrics, doors.known)


def _reachable(host: str) -> str:
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
