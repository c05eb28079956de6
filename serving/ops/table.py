"""The committed table: ops, attributes and CPU kernels of each TensorFlow Serving release.

`generate.py` makes it. A release links the core ops of its TensorFlow, the ops of one TF Text
(2.12.1 up to release 2.19, 2.20.0 after) and the inference ops of TF Decision Forests; the table
leaves those last out, so a forest is refused as unknown. Nothing else is linked.
"""

import functools
import gzip
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

TABLE_PATH = Path(__file__).with_name("table.json.gz")

Definition = dict[str, Any]

# Their kernels call back into the Python process that defined them; no model server has one.
PYTHON_OPS = frozenset({"EagerPyFunc", "PyFunc", "PyFuncStateless"})


class UnknownRelease(ValueError):
    """A TensorFlow Serving release that the table does not have."""

    def __init__(self, release: str, known: list[str]) -> None:
        super().__init__(
            f'no op table for TensorFlow Serving "{release}". '
            f"Known releases: {', '.join(known)} (patch releases count as their minor one)."
        )


@dataclass(frozen=True)
class Attribute:
    """One attribute of an op.

    Attributes:
        type: `"type"`, `"list(int)"`, `"func"`, …
        default: its value as the text form of an AttrValue; None where it must be given.
        allowed: names of the types (without `DT_`) or strings it is limited to; empty if free.
    """

    type: str
    default: str | None
    allowed: tuple[str, ...]


@dataclass(frozen=True)
class Op:
    """One op as a release knows it.

    Attributes:
        inputs: arity of each argument: `""` one tensor, `"#N"` as many as attribute N says,
            `"@T"` one for each type in the list of attribute T.
        outputs: likewise.
        attributes: by name.
        kernels: of each CPU kernel, the types or strings it is limited to by attribute.
    """

    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: dict[str, Attribute]
    kernels: tuple[dict[str, list[str]], ...]


class OpTable:
    """What one TensorFlow Serving release knows.

    Args:
        release: `"2.12"`, or a patch release of it, `"2.12.1"`.

    Raises:
        UnknownRelease: the table has no such release.
    """

    def __init__(self, release: str) -> None:
        self.release = ".".join(release.split(".")[:2])
        if self.release not in releases():
            raise UnknownRelease(release, releases())

    def find(self, op: str) -> Op | None:
        """The op's definition in this release, None if it has none."""
        return _op(op, self.release)

    def later(self) -> list["OpTable"]:
        """The tables of all later releases, the next one first."""
        order = releases()
        return [OpTable(release) for release in order[order.index(self.release) + 1 :]]

    @staticmethod
    def newest(op: str) -> Op | None:
        """The op's definition in the newest release that has one."""
        return next((found for r in reversed(releases()) if (found := _op(op, r))), None)


def releases() -> list[str]:
    """All releases of the table, oldest first."""
    return sorted(_table()["releases"], key=lambda name: [int(part) for part in name.split(".")])


@functools.lru_cache(maxsize=1)
def _table() -> dict[str, Any]:
    return json.loads(gzip.decompress(TABLE_PATH.read_bytes()))


@functools.cache
def _op(name: str, release: str) -> Op | None:
    order = releases()
    entries = _table()["ops"].get(name, [])
    known = [entry for since, entry in entries if order.index(since) <= order.index(release)]
    return _parsed(known[-1]) if known and known[-1] else None


def _parsed(entry: Definition) -> Op:
    return Op(
        inputs=tuple(entry["inputs"]),
        outputs=tuple(entry["outputs"]),
        attributes={
            name: Attribute(kind, default, tuple(allowed))
            for name, (kind, default, allowed) in entry["attributes"].items()
        },
        kernels=tuple(entry["kernels"]),
    )
