"""All models of a server by name, and the thread that looks for new versions."""

import contextlib
import logging
import threading
from collections.abc import Callable, Iterator, Sequence

from tensorflow_serving.apis import model_pb2

from serving.errors import Code, ServingError, invalid
from serving.server.model import Model, VersionState, not_found
from serving.server.servable import Servable
from serving.server.settings import Loading, Retries
from serving.server.wanted import WantedModel, relabelled

_log = logging.getLogger(__name__)


class Models:
    """Finds the servable that a request's ModelSpec asks for.

    Args:
        loading: how versions are loaded.
        retries: how versions that fail are tried again.
        unavailable_labels: whether labels may be given to versions that are not loaded.
    """

    def __init__(
        self,
        loading: Loading | None = None,
        retries: Retries | None = None,
        unavailable_labels: bool = False,
    ) -> None:
        self._models: dict[str, Model] = {}
        self._labels: dict[str, dict[str, int]] = {}
        self._loading, self._retries = loading, retries
        self._unavailable_labels = unavailable_labels
        self._applying = threading.Lock()
        self._stop = threading.Event()
        self._watchers: list[threading.Thread] = []

    @property
    def names(self) -> list[str]:
        """The names of the models served."""
        return sorted(self._models)

    def version_of(self, name: str) -> int:
        """The newest version of a model that is served now.

        Raises:
            ServingError: NOT_FOUND if there is none.
        """
        model = self._models.get(name)
        if model is None or not model.versions:
            raise not_found(name, None)
        return model.versions[0]

    def apply(self, wanted: Sequence[WantedModel]) -> None:
        """Serves these models: adds new ones and waits for them, changes and drops the others.

        Raises:
            ServingError: FAILED_PRECONDITION for a label that may not be assigned (nothing is
                changed then), UNKNOWN if a model has no version that can be served.
        """
        with self._applying:
            available = {name: model.versions for name, model in self._models.items()}
            self._labels = relabelled(wanted, available, self._labels, self._unavailable_labels)
            models: dict[str, Model] = {}
            for one in wanted:
                known = self._models.get(one.name)
                models[one.name] = known or Model(one, self._loading, self._retries)
                models[one.name].wanted = one
            dropped = [model for name, model in self._models.items() if name not in models]
            self._models = models
            for model in models.values():
                model.refresh()
            for model in dropped:
                model.close()
            self._check_available()

    def _check_available(self) -> None:
        reasons = [
            f"{{name: {model.name} "
            + "; ".join(f"version: {version} {s.message}" for version, s in model.states.items())
            + "}"
            for model in self._models.values()
            if not model.versions
        ]
        if reasons:
            message = f"Some models did not become available: {{{', '.join(reasons)}}}"
            raise ServingError(Code.UNKNOWN, message)

    @contextlib.contextmanager
    def servable(self, spec: model_pb2.ModelSpec) -> Iterator[Servable]:
        """The servable for a spec, kept loaded while in use.

        Raises:
            ServingError: NOT_FOUND for an unknown model or version, INVALID_ARGUMENT for a spec
                without a name or with a label that nobody assigned.
        """
        if not spec.name:
            raise invalid("ModelSpec has no name specified.")
        version = self._version(spec)
        model = self._models.get(spec.name)
        if model is None:
            raise not_found(spec.name, version)
        with model.lease(version) as servable:
            yield servable

    def _version(self, spec: model_pb2.ModelSpec) -> int | None:
        if spec.WhichOneof("version_choice") == "version_label":
            version = self._labels.get(spec.name, {}).get(spec.version_label)
            if version is None:
                raise invalid(f"Unrecognized servable version label: {spec.version_label}")
            return version
        return spec.version.value if spec.HasField("version") else None

    def states(self, spec: model_pb2.ModelSpec) -> dict[int, VersionState]:
        """The states of one or all versions of a model, newest first.

        Source: tensorflow_serving/model_servers/get_model_status_impl.cc.

        Raises:
            ServingError: NOT_FOUND for an unknown model or version, INVALID_ARGUMENT for a label
                that nobody assigned.
        """
        model = self._models.get(spec.name)
        states = dict(model.states) if model else {}
        version = self._version(spec)
        if version is not None:
            if version not in states:
                message = f"Could not find version {version} of model {spec.name}"
                raise ServingError(Code.NOT_FOUND, message)
            return {version: states[version]}
        if not states:
            message = f"Could not find any versions of model {spec.name}"
            raise ServingError(Code.NOT_FOUND, message)
        return dict(sorted(states.items(), reverse=True))

    def refresh(self) -> None:
        """Looks for new versions of every model, once."""
        for model in list(self._models.values()):
            try:
                model.refresh()
            except Exception:  # a folder that vanishes meanwhile must not end the watch
                _log.exception("looking for new versions of %s", model.name)

    def watch(self, seconds: float, look: Callable[[], None] | None = None) -> None:
        """Calls `look` (by default `refresh`) every so many seconds until `close`; 0 is never."""
        if seconds > 0:
            watcher = threading.Thread(
                target=self._poll, args=(seconds, look or self.refresh), daemon=True
            )
            self._watchers.append(watcher)
            watcher.start()

    def _poll(self, seconds: float, look: Callable[[], None]) -> None:
        while not self._stop.wait(seconds):
            look()

    def close(self) -> None:
        """Ends the watch and frees every model after its last request."""
        self._stop.set()
        for watcher in self._watchers:
            watcher.join()
        for model in self._models.values():
            model.close()
