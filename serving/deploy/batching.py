"""How a deployed model's requests are put together: by default, or as a benchmark measured."""

import dataclasses
import json
from pathlib import Path
from typing import Any

from serving.batching_parameters import Batching
from serving.deploy.refusal import CannotDeploy

LARGEST_REQUEST = 1024
BATCH = 32
TIMEOUT_MICROS = 1000
ENQUEUED = 100


def default(threads: int, splits: bool) -> Batching:
    """What is right where nothing was measured.

    Args:
        threads: cores of a replica.
        splits: whether a large request may be computed in parts.
    """
    waiting = Batching(
        max_batch_size=BATCH,
        batch_timeout_micros=TIMEOUT_MICROS,
        max_enqueued_batches=ENQUEUED,
        num_batch_threads=threads,
    )
    if not splits:
        return waiting
    return dataclasses.replace(
        waiting,
        max_batch_size=LARGEST_REQUEST,
        enable_large_batch_splitting=True,
        max_execution_batch_size=BATCH,
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
    """What TF Serving would not take, or would take and answer wrongly: found, fix."""
    if batching.enable_large_batch_splitting is True and not splits:
        why = "this model has outputs whose width varies, whose parts do not fit together"
        return [(f"enable_large_batch_splitting is true, and {why}", "Leave it out.")]
    return batching.mistakes()
