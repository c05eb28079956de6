"""How TensorFlow Serving puts requests together: BatchingParameters, measured or by default.

Message and fields: tensorflow/serving, servables/tensorflow/session_bundle_config.proto (commit
75d29e2); `enable_large_batch_splitting` and `max_execution_batch_size` came with release 2.4. No
wheel ships the message, hence text of our own.
"""

import dataclasses
import json
from pathlib import Path
from typing import Any

from serving.deploy.refusal import CannotDeploy

LARGEST_REQUEST = 1024


@dataclasses.dataclass(frozen=True)
class Batching:
    """BatchingParameters.

    Attributes:
        max_batch_size: rows a batch may have. Without splitting also the most rows of one request:
            TensorFlow Serving refuses a larger one with INVALID_ARGUMENT.
        batch_timeout_micros: how long the first request of a batch waits for company.
        max_enqueued_batches: batches that may wait; more is answered UNAVAILABLE (REST: 503).
        num_batch_threads: batches computed at the same time.
        allowed_batch_sizes: sizes to pad to; pads are real rows of work, so none by default.
        enable_large_batch_splitting: whether a request may be computed in parts. Parts of an output
            whose width varies do not fit together again.
        max_execution_batch_size: rows computed at once; given with splitting only.
    """

    max_batch_size: int = 32
    batch_timeout_micros: int = 1000
    max_enqueued_batches: int = 100
    num_batch_threads: int = 2
    allowed_batch_sizes: tuple[int, ...] = ()
    enable_large_batch_splitting: bool = False
    max_execution_batch_size: int | None = None

    def text(self) -> str:
        """The text proto that `--batching_parameters_file` reads."""
        lines = []
        for name, value in dataclasses.asdict(self).items():
            if name == "allowed_batch_sizes":
                lines += [f"{name}: {size}" for size in value]
            elif value is not None:
                lines.append(f"{name} {{ value: {str(value).lower()} }}")
        return "\n".join(lines) + "\n"


def default(threads: int, splits: bool) -> Batching:
    """What is right where nothing was measured.

    Args:
        threads: cores of a replica.
        splits: whether a large request may be computed in parts.
    """
    if not splits:
        return Batching(num_batch_threads=threads)
    return Batching(
        max_batch_size=LARGEST_REQUEST,
        num_batch_threads=threads,
        enable_large_batch_splitting=True,
        max_execution_batch_size=Batching.max_batch_size,
    )


def measured(file: Path, otherwise: Batching, splits: bool) -> Batching:
    """The parameters in a benchmark's result: a JSON object, or its member `batching`.

    Args:
        file: JSON with keys named like BatchingParameters' fields.
        otherwise: what holds for the keys that are not there.
        splits: whether a large request may be computed in parts.

    Raises:
        CannotDeploy: no such file or no such JSON, an unknown key, a value that cannot be.
    """
    found = _object(file)
    known = [field.name for field in dataclasses.fields(Batching)]
    for key in found:
        if key not in known:
            raise CannotDeploy(f"{file}: unknown key {key}", f"Known: {', '.join(known)}.")
    if isinstance(found.get("allowed_batch_sizes"), list):
        found["allowed_batch_sizes"] = tuple(found["allowed_batch_sizes"])
    chosen = dataclasses.replace(otherwise, **found)
    for wrong, fix in _mistakes(chosen, splits):
        raise CannotDeploy(f"{file}: {wrong}", fix)
    return chosen


def _object(file: Path) -> dict[str, Any]:
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except (FileNotFoundError, IsADirectoryError) as error:
        raise CannotDeploy(f"{file}: no such file", "Name a benchmark's result.") from error
    except ValueError as error:
        raise CannotDeploy(f"{file}: no JSON ({error})", "Name a benchmark's result.") from error
    if isinstance(found, dict) and "batching" in found:
        found = found["batching"]
    if not isinstance(found, dict):
        raise CannotDeploy(f"{file}: no JSON object", 'Write {"max_batch_size": 32, …}.')
    return found


def _mistakes(batching: Batching, splits: bool) -> list[tuple[str, str]]:
    """What TensorFlow Serving would not take, or would take and answer wrongly: found, fix."""
    mistakes = []
    for name, least in (
        ("max_batch_size", 1),
        ("batch_timeout_micros", 0),
        ("max_enqueued_batches", 1),
        ("num_batch_threads", 1),
    ):
        value = getattr(batching, name)
        if type(value) is not int or value < least:
            mistakes.append((f"{name} is {value!r}", f"Give a whole number, at least {least}."))
    if not mistakes:
        mistakes += _mistakes_of_sizes(batching) + _mistakes_of_splitting(batching, splits)
    return mistakes


def _mistakes_of_sizes(batching: Batching) -> list[tuple[str, str]]:
    sizes = batching.allowed_batch_sizes
    whole = isinstance(sizes, tuple) and all(type(size) is int and size > 0 for size in sizes)
    if not whole or list(sizes) != sorted(set(sizes)):
        return [("allowed_batch_sizes do not rise", "Give a list such as [8, 16, 32], or none.")]
    last = batching.max_execution_batch_size or batching.max_batch_size
    if sizes and sizes[-1] != last:
        return [(f"the last of allowed_batch_sizes is {sizes[-1]}", f"It must be {last}.")]
    return []


def _mistakes_of_splitting(batching: Batching, splits: bool) -> list[tuple[str, str]]:
    largest = batching.max_execution_batch_size
    if type(batching.enable_large_batch_splitting) is not bool:
        return [("enable_large_batch_splitting is neither true nor false", "Leave it out.")]
    if batching.enable_large_batch_splitting and not splits:
        why = "this model has outputs whose width varies, whose parts do not fit together"
        return [(f"enable_large_batch_splitting is true, and {why}", "Leave it out.")]
    if not batching.enable_large_batch_splitting and largest is not None:
        return [("max_execution_batch_size without splitting", "Give max_batch_size alone.")]
    if largest is None:
        return []
    if type(largest) is not int or not 1 <= largest <= batching.max_batch_size:
        return [(f"max_execution_batch_size is {largest!r}", "At most max_batch_size.")]
    return []
