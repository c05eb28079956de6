"""The machine of a measurement: what decides speed, and nothing that names the machine."""

import platform
import subprocess
from importlib import metadata
from pathlib import Path
from typing import Any

import psutil

# Instructions that matrix products on a CPU are made of.
_FLAGS = ("avx2", "fma", "avx512f", "avx512_vnni", "avx512_bf16", "amx_bf16", "amx_int8")


def describe(*packages: str) -> dict[str, Any]:
    """CPU, cores, memory in GiB, and the versions of Python and of packages."""
    return {
        "cpu": _cpuinfo("model name"),
        "cores": psutil.cpu_count(),
        "cpu_flags": [flag for flag in _FLAGS if flag in _cpuinfo("flags").split()],
        "memory_gib": round(psutil.virtual_memory().total / 2**30),
        "python": platform.python_version(),
        **{package: metadata.version(package) for package in packages},
    }


def gpu() -> str:
    """The first GPU's name, as its driver tells it.

    Raises:
        OSError: there is no driver.
    """
    command = ["nvidia-smi", "--query-gpu=name", "--format=csv,noheader"]
    return subprocess.check_output(command, text=True).splitlines()[0]


def _cpuinfo(key: str) -> str:
    """The first core's line in Linux's account; empty elsewhere."""
    path = Path("/proc/cpuinfo")
    lines = path.read_text().splitlines() if path.exists() else []
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith(key)), "")
