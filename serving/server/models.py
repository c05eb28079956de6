"""All models of a server by name, and the thread that looks for new versions."""

import contextlib
import logging
import threading
from collections.abc import Iterable, Iterator

from tensorflow_serving.apis import model_pb2

from serving.errors import Code, ServingError, invalid
from serving.server.model import Model, VersionState, not_found
from serving.server.servable import Servable

_log = logging.getLogger(__name__)


class Models:
    """Finds the servable that a request's ModelSpec asks for."""

    def __init__(self, models: Iterable[Model]) -> None:
        self._models = {model.name: model for model in models}
        self._stop = threading.Event()
        self._watcher: threading.Thread | None = None

    @property
    def names(self) -> list[str]:
        """The names of the models served."""
        return sorted(self._models)

    def version_of(self, name: str) -> int:
        """The version of a model that is served now.

        Raises:
            ServingError: NOT_FOUND if there is none.
        """
        model = self._models.get(name)
        if model is None or model.version is None:
            raise not_found(name, None)
        return model.version

    @contextlib.contextmanager
    def servable(self, spec: model_pb2.ModelSpec) -> Iterator[Servable]:
        """The servable for a spec, kept loaded while in use.

        Raises:
            ServingError: NOT_FOUND for an unknown model or version, INVALID_ARGUMENT for a spec
                without a name or with a label that nobody assigned.
        """
        if not spec.name:
            raise invalid("ModelSpec has no name specified.")
        if spec.WhichOneof("version_choice") == "version_label":
            raise invalid(f"Unrecognized servable version label: {spec.version_label}")
        version = spec.version.value if spec.HasField("version") else None
        model = self._models.get(spec.name)
        if model is None:
            raise not_found(spec.name, version)
        with model.lease(version) as servable:
            yield servable

    def states(self, spec: model_pb2.ModelSpec) -> dict[int, VersionState]:
        """The states of one or all versions of a model, newest first.

        Source: tensorflow_serving/model_servers/get_model_status_impl.cc.

        Raises:
            ServingError: NOT_FOUND for an unknown model or version.
        """
        model = self._models.get(spec.name)
        states = dict(model.states) if model else {}
        if spec.HasField("version"):
            version = spec.version.value
            if version not in states:
                message = f"Could not find version {version} of model {spec.name}"
                raise ServingError(Code.NOT_FOUND, message)
            return {version: states[version]}
        if not states:
            message = f"Could not find any versions of model {spec.name}"
            raise ServingError(Code.NOT_FOUND, message)
        return dict(sorted(states.items(), reverse=True))

    def watch(self, seconds: float) -> None:
        """Looks for new versions every so many seconds until `close`; 0 is never."""
        if seconds > 0:
            self._watcher = threading.Thread(target=self._poll, args=(seconds,), daemon=True)
            self._watcher.start()

    def _poll(self, seconds: float) -> None:
        while not self._stop.wait(seconds):
            for model in self._models.values():
                try:
                    model.refresh()
                except Exception:  # a folder that vanishes meanwhile must not end the watch
                    _log.exception("looking for new versions of %s", model.name)

    def close(self) -> None:
        """Ends the watch and frees every model after its last request."""
        self._stop.set()
        if self._watcher:
            self._watcher.join()
        for model in self._models.values():
            model.close()
