"""The contenders of `raw_strings.py`: what each needs, and its process."""

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import fixed_length_model
import peer_model
from driven import Driven

_HERE = Path(__file__).parent


@dataclass(frozen=True)
class Contender:
    """A system that answers raw strings.

    Attributes:
        name: for the table.
        module: in `contenders`.
        ours: whether it runs in rawbert's environment, else in the peers'.
        exact: whether it computes in float32.
        pads: whether a batch is padded to its longest, so that one by one may be faster.
        gpu: whether it can use one.
    """

    name: str
    module: str
    ours: bool = False
    exact: bool = True
    pads: bool = True
    gpu: bool = False


BFLOAT16 = "rawbert bfloat16"
CONTENDERS = (
    Contender("rawbert", "rawbert", ours=True, pads=False, gpu=True),
    Contender("rawbert, packed once", "rawbert_packed_once", ours=True, pads=False),
    Contender("fixed 128", "fixed_length", ours=True, pads=False, gpu=True),
    Contender("ONNX Runtime", "onnx_runtime"),
    Contender("OpenVINO", "open_vino"),
    Contender("PyTorch", "pytorch", gpu=True),
    Contender("PyTorch compiled", "pytorch_compiled", gpu=True),
    Contender(BFLOAT16, "rawbert_bfloat16", ours=True, exact=False, pads=False),
    Contender("OpenVINO bfloat16", "open_vino_bfloat16", exact=False),
    Contender("ONNX Runtime int8", "onnx_runtime_int8", exact=False),
)


class Running(Driven):
    """A contender's process."""

    def __init__(self, contender: Contender, asked: dict[str, Any], python: str) -> None:
        self.contender = contender
        super().__init__("contender.py", asked, python)

    def scores(self, texts: list[str]) -> list[list[float]]:
        """[texts, classes]."""
        return self.ask({"scores": texts})

    def time(self, batches: list[list[str]], alone: bool) -> list[float]:
        """Milliseconds of each batch; ``alone``: its texts one by one."""
        return self.ask({"time": batches, "alone": alone})


def prepare(shape: str, version: Path, peers: Path, work: Path) -> dict[str, str]:
    """The model in everybody's format: ``saved_model``, ``fixed``, ``hf``."""
    hf = peer_model.write(version, work / f"hf-{version.name}")
    fixed = fixed_length_model.write(version, work / f"fixed-{version.name}", peer_model.HEADS, 128)
    subprocess.run([peers, _HERE / "contenders" / "onnx_files.py", hf], check=True)
    return {"saved_model": str(version), "fixed": str(fixed), "hf": str(hf)}


@contextlib.contextmanager
def started(
    contenders: list[Contender],
    folders: dict[str, str],
    peers: Path,
    threads: int,
    max_tokens: int,
    gpu: bool,
) -> Iterator[list[Running]]:
    """All of them, loaded, on the last cores of this process's own."""
    cores = sorted(os.sched_getaffinity(0))[-threads:]
    running: list[Running] = []
    try:
        for one in contenders:
            asked = {
                "contender": one.module,
                "folders": folders,
                "threads": threads,
                "max_tokens": max_tokens,
                "cores": cores,
                "gpu": gpu,
            }
            running.append(Running(one, asked, sys.executable if one.ours else str(peers)))
        yield running
    finally:
        for process in running:
            process.stop()
