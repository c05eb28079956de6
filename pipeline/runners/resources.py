"""What a step's container may use, and how the command line says it."""

from collections.abc import Iterable
from dataclasses import dataclass

from trainer.errors import BadInput

ALL = ""  # the component id that stands for every component
_UNITS = {"": 1e-9, "K": 1e-6, "M": 1e-3, "G": 1.0, "T": 1e3}  # in 10^9 bytes
_BINARY = {"Ki": 2**10 / 1e9, "Mi": 2**20 / 1e9, "Gi": 2**30 / 1e9, "Ti": 2**40 / 1e9}


@dataclass(frozen=True)
class Resources:
    """What a step's container may use; None where the cluster decides.

    Attributes:
        cpu: cores.
        memory: in 10^9 bytes.
        accelerator: its type as the cluster calls it: ``nvidia.com/gpu``; Vertex:
            ``NVIDIA_TESLA_T4``.
        accelerators: how many.
    """

    cpu: float | None = None
    memory: float | None = None
    accelerator: str | None = None
    accelerators: int = 1


def parse(
    cpus: Iterable[str], memories: Iterable[str], accelerator: str | None
) -> dict[str, Resources]:
    """Resources by component id, `ALL` among them.

    Args:
        cpus: ``2`` for every component, ``Trainer=8`` for one.
        memories: ``4G`` or ``4Gi`` likewise.
        accelerator: the Trainer's: ``TYPE`` or ``TYPE:COUNT``.

    Raises:
        BadInput: no number, or no unit that Kubernetes knows.

    >>> parse(["1", "Trainer=8"], ["4G"], "nvidia.com/gpu:2")["Trainer"]
    Resources(cpu=8.0, memory=4.0, accelerator='nvidia.com/gpu', accelerators=2)
    """
    cpu = _by_component("--cpu", cpus, _cores)
    memory = _by_component("--memory", memories, _gigabytes)
    kind, count = _accelerator(accelerator) if accelerator else (None, 1)
    names = {*cpu, *memory, *(["Trainer"] if kind else [])}
    return {
        name: Resources(
            cpu.get(name, cpu.get(ALL)),
            memory.get(name, memory.get(ALL)),
            *((kind, count) if name == "Trainer" else ()),
        )
        for name in names
    }


def _by_component(option: str, given: Iterable[str], read: object) -> dict[str, float]:
    found = {}
    for one in given:
        name, equals, amount = one.rpartition("=")
        value = read(amount) if name or not equals else None  # type: ignore[operator]
        if not value:
            raise BadInput(
                "no amount", where=f"{option} {one}", fix="Write 2 or Trainer=8; memory: 4G or 4Gi."
            )
        found[name] = value
    return found


def _cores(amount: str) -> float | None:
    try:
        return max(0.0, float(amount)) or None
    except ValueError:
        return None


def _gigabytes(amount: str) -> float | None:
    digits = amount.rstrip("KMGTi")
    factor = (_UNITS | _BINARY).get(amount[len(digits) :])
    number = _cores(digits)
    return number * factor if number and factor else None


def _accelerator(said: str) -> tuple[str, int]:
    kind, colon, count = said.rpartition(":")
    if not colon:
        return said, 1
    if not kind or not count.isdigit() or not int(count):
        raise BadInput(
            "no type and count", where=f"--accelerator {said}", fix="Write nvidia.com/gpu:1."
        )
    return kind, int(count)
