"""How requests are batched: TF Serving's BatchingParameters."""

import dataclasses
import os
from pathlib import Path
from typing import Any

from serving import text_protos
from serving.errors import BadConfig


@dataclasses.dataclass(frozen=True)
class Batching:
    """The parameters, with the defaults of TF Serving.

    Source: tensorflow/core/kernels/batching_util/shared_batch_scheduler.h.
    """

    max_batch_size: int = 1000
    batch_timeout_micros: int = 0
    max_enqueued_batches: int = 10
    num_batch_threads: int = os.cpu_count() or 1
    allowed_batch_sizes: tuple[int, ...] = ()
    enable_large_batch_splitting: bool = False


def read_batching(path: str | Path) -> Batching:
    """The parameters of a BatchingParameters file.

    Raises:
        BadConfig: no such proto, or values that TensorFlow would refuse.
    """
    proto = text_protos.read(path, text_protos.BatchingParameters())
    if proto.pad_variable_length_inputs:
        raise BadConfig(
            str(path), "pad_variable_length_inputs is not supported: raw strings need no padding"
        )
    names = [field.name for field in dataclasses.fields(Batching)]
    given = {name: getattr(proto, name).value for name in names if _is_set(proto, name)}
    batching = Batching(**given, allowed_batch_sizes=tuple(proto.allowed_batch_sizes))
    for name in ("max_batch_size", "max_enqueued_batches", "num_batch_threads"):
        if getattr(batching, name) < 1:
            raise BadConfig(str(path), f"{name} must be at least 1")
    if batching.batch_timeout_micros < 0:
        raise BadConfig(str(path), "batch_timeout_micros must not be negative")
    _check_allowed(str(path), batching)
    return batching


def _is_set(proto: Any, name: str) -> bool:
    return name != "allowed_batch_sizes" and proto.HasField(name)


def _check_allowed(path: str, batching: Batching) -> None:
    sizes = batching.allowed_batch_sizes
    if sizes and (list(sizes) != sorted(set(sizes)) or sizes[-1] != batching.max_batch_size):
        raise BadConfig(
            path, "allowed_batch_sizes must increase, and its last must equal max_batch_size"
        )
