"""One served model: which of its versions are loaded, and who is using them."""

import contextlib
import dataclasses
import logging
import threading
from collections.abc import Iterator
from pathlib import Path

from serving.errors import Code, NotAModel, ServingError
from serving.server import warmup
from serving.server.servable import Servable
from serving.server.versions import BasePath

_log = logging.getLogger(__name__)

Fingerprint = tuple[tuple[str, int, int], ...]


@dataclasses.dataclass
class VersionState:
    """A version's state by TF Serving's names: START, LOADING, AVAILABLE, UNLOADING, END."""

    state: str
    code: Code = Code.OK
    message: str = ""


@dataclasses.dataclass
class _Loaded:
    servable: Servable
    users: int = 0


class Model:
    """Serves the newest version that loads, and replaces it without a gap."""

    def __init__(self, name: str, base_path: BasePath) -> None:
        self.name, self.base_path = name, base_path
        self.states: dict[int, VersionState] = {}
        self._current: _Loaded | None = None
        self._changed = threading.Condition()
        self._failed: dict[int, Fingerprint] = {}
        self._refreshing = threading.Lock()

    @contextlib.contextmanager
    def lease(self, version: int | None = None) -> Iterator[Servable]:
        """The loaded servable, kept alive while in use; `version` None is the newest.

        Raises:
            ServingError: NOT_FOUND if that version is not loaded.
        """
        with self._changed:
            loaded = self._current
            if loaded is None or version not in (None, loaded.servable.version):
                raise not_found(self.name, version)
            loaded.users += 1
        try:
            yield loaded.servable
        finally:
            with self._changed:
                loaded.users -= 1
                self._changed.notify_all()

    def refresh(self) -> None:
        """Loads the newest version on disk if it is not the one served; keeps what works.

        A version that failed is tried again when its files have changed (it was still being
        copied), and older ones are tried when nothing else is served.
        """
        with self._refreshing:
            for version, path in reversed(self.base_path.versions().items()):
                if self._current and self._current.servable.version == version:
                    return
                if self._load(version, path) or self._current:
                    return

    @property
    def version(self) -> int | None:
        """The version being served, None before the first is loaded."""
        current = self._current
        return current.servable.version if current else None

    def close(self) -> None:
        """Stops serving: waits for the requests under way, then frees the session."""
        with self._refreshing:
            old, self._current = self._current, None
            self._retire(old)

    def _load(self, version: int, path: Path) -> bool:
        files = fingerprint(path)
        if self._failed.get(version) == files:
            return False
        self.states[version] = VersionState("LOADING")
        servable = None
        try:
            servable = Servable(path, version)
            count = warmup.warm(servable)
        except Exception as error:  # whatever it is, the version that serves must go on serving
            if servable is not None:
                servable.close()
            self._failed[version] = files
            found = error.found if isinstance(error, NotAModel) else repr(error)
            self.states[version] = VersionState("END", Code.INVALID_ARGUMENT, found)
            _log.error("version %d of %s is not served: %s", version, self.name, error)
            return False
        _log.info("version %d of %s loaded, %d warm-up requests", version, self.name, count)
        self._swap(_Loaded(servable))
        return True

    def _swap(self, new: _Loaded) -> None:
        with self._changed:
            old, self._current = self._current, new
            self.states[new.servable.version] = VersionState("AVAILABLE")
        self._retire(old)

    def _retire(self, old: _Loaded | None) -> None:
        if old is None:
            return
        self.states[old.servable.version] = VersionState("UNLOADING")
        with self._changed:
            self._changed.wait_for(lambda: old.users == 0)
        old.servable.close()
        self.states[old.servable.version] = VersionState("END")


def not_found(name: str, version: int | None) -> ServingError:
    """TF Serving's answer for a model or version that it does not have."""
    wanted = f"Latest({name})" if version is None else f"Specific({name}, {version})"
    return ServingError(Code.NOT_FOUND, f"Servable not found for request: {wanted}")


def fingerprint(path: Path) -> Fingerprint:
    """Names, sizes and times of a version's files: changes while they are being copied."""
    files = sorted(file for file in path.rglob("*") if file.is_file())
    stats = [(str(file), file.stat()) for file in files]
    return tuple((name, stat.st_size, stat.st_mtime_ns) for name, stat in stats)
