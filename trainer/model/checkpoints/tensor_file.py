"""Reads the safetensors format: header alone, or one tensor at a time, as float32.

Format: https://github.com/huggingface/safetensors#format. Eight bytes, little endian, the length of
a JSON header; the header, name ▶ dtype, shape, begin and end; the bytes. Read here and not with the
library because its NumPy side has no bfloat16, and its errors name neither file nor fix.
"""

import json
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from trainer.errors import BadInput

#: bfloat16 is the upper half of a float32, and NumPy has no name for it.
FLOATS = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "BF16": "<u2"}
_SIZES = {"F64": 8, "F32": 4, "F16": 2, "BF16": 2, "I64": 8, "I32": 4, "U8": 1, "I8": 1, "BOOL": 1}
_AGAIN = "Fetch the checkpoint again."


@dataclass(frozen=True)
class Entry:
    """Where one tensor is: ``begin`` and ``end`` are bytes of the file."""

    dtype: str
    shape: tuple[int, ...]
    begin: int
    end: int


def read_header(path: Path) -> dict[str, Entry]:
    """Reads which tensors a file holds, and nothing else of it.

    Raises:
        BadInput: not a safetensors file, or cut short.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        start = 8 + int.from_bytes(file.read(8), "little")
        if not 8 < start <= size:
            raise BadInput("not a safetensors file.", where=str(path), fix=_AGAIN)
        try:
            header = json.loads(file.read(start - 8))
            header.pop("__metadata__", None)
            entries = {name: _entry(value, start) for name, value in header.items()}
        except (ValueError, KeyError, TypeError, AttributeError):
            raise BadInput("not a safetensors file.", where=str(path), fix=_AGAIN) from None
    _check_extent(path, entries, size)
    return entries


def read_tensor(path: Path, name: str, entry: Entry) -> np.ndarray:
    """Reads one tensor of any floating type as float32.

    Raises:
        BadInput: it holds NaN or infinity.
        KeyError: it is of another type than `FLOATS`.
    """
    values = np.fromfile(
        path, FLOATS[entry.dtype], count=math.prod(entry.shape), offset=entry.begin
    )
    if entry.dtype == "BF16":
        values = (values.astype(np.uint32) << 16).view(np.float32)
    values = values.astype(np.float32, copy=False).reshape(entry.shape)
    if not np.isfinite(values).all():
        raise BadInput(f"tensor {name!r} holds NaN or infinity.", where=str(path), fix=_AGAIN)
    return values


def _entry(value: dict, start: int) -> Entry:
    begin, end = value["data_offsets"]
    entry = Entry(value["dtype"], tuple(value["shape"]), start + begin, start + end)
    width = _SIZES.get(entry.dtype)
    if width and end - begin != width * math.prod(entry.shape):
        raise ValueError("length and shape contradict each other")
    return entry


def _check_extent(path: Path, entries: dict[str, Entry], size: int) -> None:
    needed = max((entry.end for entry in entries.values()), default=0)
    if size < needed:
        raise BadInput(
            f"cut short: {size:,} bytes of {needed:,} are there.", where=str(path), fix=_AGAIN
        )
