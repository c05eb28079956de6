"""Whether a run fits this machine: told before the run, not by the kernel in its middle.

Beam's in-process runner keeps what travels between its stages. An engine of its own
(`--beam-arg`) need not, and is not judged here.
"""

import json
from pathlib import Path

import psutil

from components.splits import given_files

# By benchmarks/scale.py, from 100,000 to 1,000,000 rows of 163 bytes: Transform, the greatest of
# the stages, takes 52 bytes a row. Three times that, since texts and Beam's bundles differ, and the
# Evaluator is not among them.
BYTES_A_BYTE_OF_TEXT = 1.0
OF_THE_PROCESS = 1.1e9  # TFX, TensorFlow and the graph, whatever the data
# ServingValidator's, the greatest of the stages: TensorFlow copies a graph many times as it is made
# ready, signature by signature. 3.2 GB without, 7.0 with the 42 MB of MiniLM's products; 6.7 GB
# without the 340 MB of BERT-base's, and with them the kernel ended it at 24.
BYTES_A_BYTE_OF_CONSTANTS, BYTES_A_BYTE_OF_PRODUCTS = 90.0, 11.0
OF_THE_VALIDATOR = 3e9
_PACKED = {".gz": 3.0, ".bz2": 4.0}  # times that such a file of text grows
_LIMITS = (
    (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory.current")),
    (
        Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"),
        Path("/sys/fs/cgroup/memory/memory.usage_in_bytes"),
    ),
)


def warning(data: str, rows: int, available: int) -> str:
    """What to say before a run that may not fit; empty if it does.

    Args:
        data: JSON of the reader's settings, as `pipeline.check.Inputs` has it.
        rows: that go on.
        available: bytes.
    """
    found = json.loads(data)
    files = [
        file for split in given_files(found["path"], found["format"]).values() for file in split
    ]
    text = sum(_unpacked(file) for file in files)
    needed = OF_THE_PROCESS + BYTES_A_BYTE_OF_TEXT * text
    if needed <= available:
        return ""
    fit = max(0.0, available - OF_THE_PROCESS) / BYTES_A_BYTE_OF_TEXT / max(1.0, text) * rows
    return (
        f"{rows:,} texts of {text / 1e9:.1f} GB need about {needed / 1e9:.0f} GB of memory on this"
        f" machine, and {available / 1e9:.0f} GB are free: enough for about {_rounded(fit):,} such"
        " texts. Name a Beam engine (--beam-arg), keep fewer rows (data.keep), or expect the run"
        " to be killed."
    )


def warning_of_constants(weights: int, precision: str, available: int) -> str:
    """What to say of `serve.constant_weights` that may not fit; empty if they do.

    Args:
        weights: of the encoder's products.
        precision: of the recipe.
        available: bytes.
    """
    constants = weights * (4 if precision == "float32" else 2)
    needed = OF_THE_VALIDATOR + BYTES_A_BYTE_OF_PRODUCTS * 4 * weights
    needed += BYTES_A_BYTE_OF_CONSTANTS * constants
    if needed <= available:
        return ""
    return (
        f"constant_weights of {constants / 1e6:.0f} MB need about {needed / 1e9:.0f} GB before the"
        f" model is pushed, and {available / 1e9:.0f} GB are free. Leave them out, or expect the"
        " run to be killed."
    )


def available() -> int:
    """Bytes that this process may still take: of the machine's, or its container's if less."""
    free = [psutil.virtual_memory().available]
    for limit, used in _LIMITS:
        try:
            free.append(int(limit.read_text()) - int(used.read_text()))
        except (OSError, ValueError):  # no such group, or "max"
            continue
    return max(0, min(free))


def _unpacked(file: Path) -> float:
    return file.stat().st_size * _PACKED.get(file.suffix.lower(), 1.0)


def _rounded(rows: float) -> int:
    """To two digits; nobody knows more."""
    return int(round(rows, 2 - len(str(int(rows)))))
