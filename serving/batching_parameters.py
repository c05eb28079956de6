"""How requests are batched: TF Serving's BatchingParameters.

Message and fields: tensorflow/serving, servables/tensorflow/session_bundle_config.proto; defaults:
tensorflow/core/kernels/batching_util/shared_batch_scheduler.h.
"""

import dataclasses
import os
from pathlib import Path

from serving import text_protos
from serving.errors import BadConfig


@dataclasses.dataclass(frozen=True)
class Batching:
    """BatchingParameters, with the defaults of TF Serving.

    Attributes:
        max_batch_size: rows a batch may have. Without splitting also the most rows of one request
            in TF Serving, which refuses a larger one; here that runs alone.
        batch_timeout_micros: how long the first request of a batch waits for company.
        max_enqueued_batches: batches that may wait; more is answered UNAVAILABLE (REST: 503).
        num_batch_threads: batches computed at the same time.
        allowed_batch_sizes: sizes to pad to; pads are real rows of work, so none by default.
        enable_large_batch_splitting: whether a request may be computed in parts. Parts of an output
            whose width varies do not fit together again.
        max_execution_batch_size: rows computed at once; given with splitting only.
    """

    max_batch_size: int = 1000
    batch_timeout_micros: int = 0
    max_enqueued_batches: int = 10
    num_batch_threads: int = os.cpu_count() or 1
    allowed_batch_sizes: tuple[int, ...] = ()
    enable_large_batch_splitting: bool = False
    max_execution_batch_size: int | None = None

    @property
    def rows_at_once(self) -> int:
        """The most rows that are computed together."""
        return self.max_execution_batch_size or self.max_batch_size

    def text(self) -> str:
        """The text proto that `--batching_parameters_file` reads."""
        lines = []
        for name, value in dataclasses.asdict(self).items():
            if name == "allowed_batch_sizes":
                lines += [f"{name}: {size}" for size in value]
            elif value is not None:
                lines.append(f"{name} {{ value: {str(value).lower()} }}")
        return "\n".join(lines) + "\n"

    def mistakes(self) -> list[tuple[str, str]]:
        """What TF Serving would not take: what was found, and the fix."""
        found = []
        for name, least in _LEAST.items():
            value = getattr(self, name)
            if type(value) is not int or value < least:
                found.append((f"{name} is {value!r}", f"Give a whole number, at least {least}."))
        return found or _of_splitting(self) or _of_sizes(self)


_LEAST = {
    "max_batch_size": 1,
    "batch_timeout_micros": 0,
    "max_enqueued_batches": 1,
    "num_batch_threads": 1,
}


def _of_sizes(batching: Batching) -> list[tuple[str, str]]:
    sizes = batching.allowed_batch_sizes
    whole = isinstance(sizes, tuple) and all(type(size) is int and size > 0 for size in sizes)
    if not whole or list(sizes) != sorted(set(sizes)):
        return [("allowed_batch_sizes do not rise", "Give a list such as [8, 16, 32], or none.")]
    last = batching.rows_at_once
    if sizes and sizes[-1] != last:
        return [(f"the last of allowed_batch_sizes is {sizes[-1]}", f"It must be {last}.")]
    return []


def _of_splitting(batching: Batching) -> list[tuple[str, str]]:
    largest = batching.max_execution_batch_size
    if type(batching.enable_large_batch_splitting) is not bool:
        return [("enable_large_batch_splitting is neither true nor false", "Leave it out.")]
    if largest is None:
        return []
    if not batching.enable_large_batch_splitting:
        return [("max_execution_batch_size without splitting", "Give max_batch_size alone.")]
    if type(largest) is not int or not 1 <= largest <= batching.max_batch_size:
        return [(f"max_execution_batch_size is {largest!r}", "At most max_batch_size.")]
    return []


def read_batching(path: str | Path) -> Batching:
    """The parameters of a BatchingParameters file.

    Raises:
        BadConfig: no such proto, or values that TF Serving would refuse.
    """
    proto = text_protos.read(path, text_protos.BatchingParameters())
    if proto.pad_variable_length_inputs:
        raise BadConfig(
            str(path), "pad_variable_length_inputs is not supported: raw strings need no padding"
        )
    names = [field.name for field in dataclasses.fields(Batching)]
    names.remove("allowed_batch_sizes")
    given = {name: getattr(proto, name).value for name in names if proto.HasField(name)}
    batching = Batching(**given, allowed_batch_sizes=tuple(proto.allowed_batch_sizes))
    for found, fix in batching.mistakes():
        raise BadConfig(str(path), f"{found}. {fix}")
    return batching
