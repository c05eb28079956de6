"""What a server is told: models, doors, threads, batching. No TensorFlow is needed to say it."""

import dataclasses
import os
from pathlib import Path

from serving.batching_parameters import Batching
from serving.server.wanted import WantedModel


@dataclasses.dataclass(frozen=True)
class Loading:
    """How versions are loaded.

    Attributes:
        tags: of the meta graph in the SavedModel.
        batching: None runs every request alone.
        warm_iterations: how often each of a model's warm-up requests is run; 0 is not at all.
        intra_op_threads: of TensorFlow's session; 0 leaves the number to TensorFlow.
        inter_op_threads: likewise; below 0 the thread that asks runs all ops.
        gpu_memory_fraction: of a GPU's memory for the process; 0.0 leaves it to TensorFlow.
    """

    tags: tuple[str, ...] = ("serve",)
    batching: Batching | None = None
    warm_iterations: int = 1
    intra_op_threads: int = 0
    inter_op_threads: int = 0
    gpu_memory_fraction: float = 0.0


@dataclasses.dataclass(frozen=True)
class Retries:
    """How often and after how many seconds a version that failed to load is tried again."""

    most: int = 5
    seconds: float = 60.0


@dataclasses.dataclass(frozen=True)
class Tls:
    """Certificates in PEM; with `verify_clients`, only clients that `ca` has signed may call."""

    key: bytes
    certificate: bytes
    ca: bytes | None = None
    verify_clients: bool = False


def default_threads(batching: Batching | None = None) -> int:
    """Requests at once: enough to keep the cores busy, and to fill two batches where it pays."""
    threads = max(16, 4 * (os.cpu_count() or 1))
    return max(threads, min(2 * batching.max_batch_size, 128)) if batching else threads


@dataclasses.dataclass(frozen=True)
class Settings:
    """One server.

    Attributes:
        models: to serve from the start.
        host: the interface; 0.0.0.0 is all.
        port: for gRPC; 0 takes any free port.
        rest_port: for REST; 0 takes any free port, None is no REST.
        socket_path: a Unix socket for gRPC, too.
        threads: gRPC requests run at once.
        rest_threads: REST requests run at once.
        rest_timeout_seconds: after which a REST call is answered 504.
        rest_origins: of web pages that may call (CORS).
        poll_seconds: how often to look for new versions; 0 never.
        config_file: a ModelServerConfig to read again every `config_poll_seconds`, 0 never.
        unavailable_labels: labels may be given to versions that are not loaded.
        tls: for gRPC; None is plain.
        channel_arguments: of gRPC, by name.
        metrics_path: of Prometheus's metrics on the REST port; None is no metrics.
        demo: the demo page on the REST port, too.
    """

    models: tuple[WantedModel, ...]
    host: str = "127.0.0.1"
    port: int = 8500
    rest_port: int | None = 8501
    socket_path: str | None = None
    threads: int = dataclasses.field(default_factory=default_threads)
    rest_threads: int = dataclasses.field(default_factory=default_threads)
    rest_timeout_seconds: float = 30.0
    rest_origins: tuple[str, ...] = ()
    loading: Loading = Loading()
    retries: Retries = Retries()
    poll_seconds: float = 1.0
    config_file: Path | None = None
    config_poll_seconds: float = 0.0
    unavailable_labels: bool = False
    tls: Tls | None = None
    channel_arguments: tuple[tuple[str, str | int], ...] = ()
    metrics_path: str | None = None
    demo: bool = False
