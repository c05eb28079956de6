"""One served model: which of its versions are loaded, and who is using them."""

import contextlib
import dataclasses
import gc
import logging
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from serving.errors import Code, NotAModel, ServingError
from serving.server import warmup
from serving.server.servable import Servable
from serving.server.settings import Loading, Retries
from serving.server.wanted import WantedModel

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


@dataclasses.dataclass
class _Failure:
    files: Fingerprint
    attempts: int
    next_try: float


class Model:
    """Serves the versions that its policy chooses, and replaces them without a gap."""

    def __init__(
        self, wanted: WantedModel, loading: Loading | None = None, retries: Retries | None = None
    ) -> None:
        self.wanted = wanted
        self.states: dict[int, VersionState] = {}
        self._loading, self._retries = loading or Loading(), retries or Retries()
        self._loaded: dict[int, _Loaded] = {}
        self._changed = threading.Condition()
        self._failures: dict[int, _Failure] = {}
        self._seen: dict[int, Fingerprint | None] | None = None  # files where they were looked at
        self._refreshing = threading.Lock()
        self._retiring: list[threading.Thread] = []

    @property
    def name(self) -> str:
        """The model's name for clients."""
        return self.wanted.name

    @property
    def versions(self) -> list[int]:
        """The versions that can be asked now, newest first."""
        return sorted(self._loaded, reverse=True)

    @contextlib.contextmanager
    def lease(self, version: int | None = None) -> Iterator[Servable]:
        """The loaded servable, kept alive while in use; `version` None is the newest.

        Raises:
            ServingError: NOT_FOUND if that version is not loaded.
        """
        with self._changed:
            number = max(self._loaded, default=None) if version is None else version
            loaded = None if number is None else self._loaded.get(number)
            if loaded is None:
                raise not_found(self.name, version)
            loaded.users += 1
        try:
            yield loaded.servable
        finally:
            with self._changed:
                loaded.users -= 1
                self._changed.notify_all()

    def refresh(self) -> None:
        """Loads what the policy chooses and is not loaded, then lets go of the rest.

        A version that fails leaves those that serve as they are; it is tried again when its files
        have changed (it was still being copied), and otherwise as often as the retries say. If
        nothing that was chosen can be served, older versions are tried.
        """
        with self._refreshing:
            self._retiring = [thread for thread in self._retiring if thread.is_alive()]
            found = self.wanted.base_path.versions()
            chosen = self.wanted.policy.choose(found)
            seen: dict[int, Fingerprint | None] = dict.fromkeys(found)
            for version in chosen:
                if version not in self._loaded:
                    self._try(version, found[version], seen)
            if not self._loaded and not self.wanted.policy.specific:
                older = (version for version in sorted(found, reverse=True))
                any(self._try(version, found[version], seen) for version in older)
            self._seen = seen
            if any(version in self._loaded for version in chosen):
                for version in set(self._loaded) - set(chosen):
                    self._retire(version)

    def close(self) -> None:
        """Stops serving: waits for the requests under way, then frees the sessions."""
        with self._refreshing:
            for version in list(self._loaded):
                self._retire(version)
        for thread in self._retiring:
            thread.join()

    def _try(self, version: int, path: Path, seen: dict[int, Fingerprint | None]) -> bool:
        files = seen[version] = seen[version] or fingerprint(path)
        if self._is_settling(version, files) or not self._may_try(version, files):
            return False
        self.states[version] = VersionState("LOADING")
        try:
            servable = self._load(path, version)
        except Exception as error:  # whatever it is, the versions that serve must go on serving
            self._fail(version, files, error)
            return False
        self._failures.pop(version, None)
        with self._changed:
            self._loaded[version] = _Loaded(servable)
            self.states[version] = VersionState("AVAILABLE")
        return True

    def _is_settling(self, version: int, files: Fingerprint) -> bool:
        """Whether a version that appeared or changed since the last look may still be copied."""
        if self._seen is None:
            return False
        return version not in self._seen or self._seen[version] not in (None, files)

    def _may_try(self, version: int, files: Fingerprint) -> bool:
        failure = self._failures.get(version)
        if failure is None or failure.files != files:
            self._failures.pop(version, None)
            return True
        return failure.attempts <= self._retries.most and time.monotonic() >= failure.next_try

    def _load(self, path: Path, version: int) -> Servable:
        servable = Servable(path, version, self._loading)
        try:
            count = 0
            if self._loading.warm_iterations:
                count = warmup.warm(servable, self._loading.warm_iterations)
        except BaseException:
            servable.close()
            raise
        _log.info("version %d of %s loaded, %d warm-up requests", version, self.name, count)
        return servable

    def _fail(self, version: int, files: Fingerprint, error: Exception) -> None:
        earlier = self._failures.get(version)
        attempts = earlier.attempts + 1 if earlier else 1
        next_try = time.monotonic() + self._retries.seconds
        self._failures[version] = _Failure(files, attempts, next_try)
        found = error.found if isinstance(error, NotAModel) else repr(error)
        self.states[version] = VersionState("END", Code.INVALID_ARGUMENT, found)
        _log.error("version %d of %s is not served: %s", version, self.name, error)

    def _retire(self, version: int) -> None:
        with self._changed:
            old = self._loaded.pop(version)
        self.states[version] = VersionState("UNLOADING")
        thread = threading.Thread(target=self._drain, args=(version, old), name="drain")
        self._retiring.append(thread)
        thread.start()

    def _drain(self, version: int, old: _Loaded) -> None:
        with self._changed:
            self._changed.wait_for(lambda: old.users == 0)
        old.servable.close()
        self.states[version] = VersionState("END")
        gc.collect()  # a graph is full of cycles, and holds the constants of the old version


def not_found(name: str, version: int | None) -> ServingError:
    """TF Serving's answer for a model or version that it does not have."""
    wanted = f"Latest({name})" if version is None else f"Specific({name}, {version})"
    return ServingError(Code.NOT_FOUND, f"Servable not found for request: {wanted}")


def fingerprint(path: Path) -> Fingerprint:
    """Names, sizes and times of a version's files: changes while they are being copied."""
    files = sorted(file for file in path.rglob("*") if file.is_file())
    stats = [(str(file), file.stat()) for file in files]
    return tuple((name, stat.st_size, stat.st_mtime_ns) for name, stat in stats)
