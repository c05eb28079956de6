"""What an older TensorFlow Serving does not take of one node.

What its C++ loader does, seen with `TF_LoadSessionFromSavedModel` of TensorFlow 2.12.1 on models
written by 2.16: an unknown op fails the load, but one that sits in a `tf.cond` branch fails only
the request that takes the branch; an unknown attribute is ignored with a line in the log
(`ValidateNodeDef` in tensorflow/core/framework/node_def_util.cc), so the op silently computes
something else or its output's type no longer fits; a type that the op does not allow yet fails at
the first request. So an attribute may be unknown only where it says what the op does anyway: the
default. Attributes that begin with `_` belong to no op definition and are free.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from google.protobuf import text_format
from tensorflow.core.framework import node_def_pb2, types_pb2

from serving.ops.table import PYTHON_OPS, Attribute, Op, OpTable

# Names for messages and profiles: ignoring them changes nothing. TensorFlow 2.15 and later write
# VarHandleOp's for every variable.
WITHOUT_EFFECT = frozenset({("VarHandleOp", "debug_name")})


@dataclass(frozen=True)
class Problem:
    """One thing that a release does not know.

    Attributes:
        found: what, in one sentence without a full stop.
        attribute: its name, where it is about one.
    """

    found: str
    attribute: str = ""


def problems(node: node_def_pb2.NodeDef, table: OpTable, inputs: int) -> Iterator[Problem]:
    """All problems of one node that runs on a CPU.

    Args:
        node: not a call of a library function by its name.
        table: of the release.
        inputs: how many tensors flow into the node.
    """
    op = table.find(node.op)
    if op is None:
        yield Problem(f"the op {node.op} is unknown")
        return
    found = [*_attributes(node, op, table), *_inputs(node, op, inputs)]
    yield from found
    if not found:
        yield from _kernel(node, op)


def _attributes(node: node_def_pb2.NodeDef, op: Op, table: OpTable) -> Iterator[Problem]:
    for name, value in node.attr.items():
        if name.startswith("_"):
            continue
        if name not in op.attributes:
            yield from _unknown_attribute(node.op, name, value, table)
        elif not value.placeholder:
            yield from _value(node.op, name, value, op.attributes[name])
    for name, attribute in op.attributes.items():
        if attribute.default is None and name not in node.attr:
            yield Problem(f"the op {node.op} must be given attribute {name}", name)


def _unknown_attribute(op: str, name: str, value: Any, table: OpTable) -> Iterator[Problem]:
    newest = table.newest(op)
    known = newest.attributes.get(name) if newest else None
    if (op, name) in WITHOUT_EFFECT or (known and known.default == _text(value)):
        return
    yield Problem(f"attribute {name} of the op {op} is unknown", name)


def _value(op: str, name: str, value: Any, attribute: Attribute) -> Iterator[Problem]:
    for one in names_of(value):
        if attribute.allowed and one not in attribute.allowed:
            yield Problem(f"attribute {name} of the op {op} cannot be {one}", name)


def _inputs(node: node_def_pb2.NodeDef, op: Op, inputs: int) -> Iterator[Problem]:
    wanted = arity(op.inputs, node)
    if wanted is not None and wanted != inputs:
        yield Problem(f"the op {node.op} takes {wanted} inputs and gets {inputs}")


def arity(arguments: Sequence[str], node: node_def_pb2.NodeDef) -> int | None:
    """How many tensors the arguments are for this node; None where a function's caller says."""
    total = 0
    for argument in arguments:
        if not argument:
            total += 1
            continue
        value = node.attr.get(argument[1:])
        if value is None or value.placeholder:
            return None
        total += value.i if argument.startswith("#") else len(value.list.type)
    return total


def _kernel(node: node_def_pb2.NodeDef, op: Op) -> Iterator[Problem]:
    if node.op in PYTHON_OPS:
        yield Problem(f"the op {node.op} calls Python code, which no model server runs")
    elif not _has_kernel(node, op):
        types = _type_attributes(node)
        of_types = f" for {', '.join(types)}" if types else ""
        yield Problem(f"the op {node.op} has no CPU kernel{of_types}")


def _type_attributes(node: node_def_pb2.NodeDef) -> list[str]:
    return [f"{k}={_type(v.type)}" for k, v in sorted(node.attr.items()) if v.HasField("type")]


def _has_kernel(node: node_def_pb2.NodeDef, op: Op) -> bool:
    if "_kernel" in node.attr:
        return True  # a labelled kernel: not in the table
    return any(
        all(_fits(node, op, name, types) for name, types in limits.items()) for limits in op.kernels
    )


def _fits(node: node_def_pb2.NodeDef, op: Op, name: str, types: list[str]) -> bool:
    if name in node.attr:
        value = node.attr[name]
        return bool(value.placeholder) or set(names_of(value)) <= set(types)
    default = op.attributes[name].default if name in op.attributes else None
    return default is None or _name_of_default(default) in types


def _name_of_default(default: str) -> str:
    """`"type: DT_INT32"` ▶ `"INT32"`, `'s: "DEFAULT"'` ▶ `"DEFAULT"`."""
    kind, _, value = default.partition(": ")
    return value.removeprefix("DT_") if kind == "type" else value.strip('"')


def names_of(value: Any) -> list[str]:
    """The types or the string that an AttrValue holds, as the table writes them."""
    of_field: dict[str, Callable[[], list[str]]] = {
        "type": lambda: [_type(value.type)],
        "s": lambda: [value.s.decode("utf-8", "replace")],
        "list": lambda: [
            *map(_type, value.list.type),
            *(s.decode("utf-8", "replace") for s in value.list.s),
        ],
    }
    return of_field.get(value.WhichOneof("value"), list)()


def _type(number: int) -> str:
    known = number in types_pb2.DataType.values()
    return types_pb2.DataType.Name(number).removeprefix("DT_") if known else f"type {number}"


def _text(value: Any) -> str:
    return text_format.MessageToString(value, as_one_line=True)
