"""Prints the op registry of the TensorFlow that runs this file; `generate.py` starts it.

It runs inside a throwaway environment of an old release, so it imports nothing but that
TensorFlow and writes JSON. TF Text's libraries are loaded as plain op libraries, which needs none
of its Python dependencies. Output: `{"core": {op: definition}, "text": {op: definition}}`.
"""

import importlib.util
import json
import sys
from pathlib import Path
from typing import Any

import tensorflow as tf
from google.protobuf import text_format
from tensorflow.core.framework import op_def_pb2, types_pb2
from tensorflow.python.client import pywrap_tf_session as session
from tensorflow.python.framework import kernels

CPU_DEVICES = {"CPU", "DEFAULT"}  # DEFAULT kernels are registered for every device

Constraints = dict[str, list[str]]  # attribute ▶ types or strings it may have


def registered_ops() -> dict[str, op_def_pb2.OpDef]:
    """All ops of this process by name."""
    data = session.TF_GetBuffer(session.TF_GetAllOpList())
    return {op.name: op for op in op_def_pb2.OpList.FromString(data).op}


def load_text_libraries() -> None:
    """Registers TF Text's ops without importing its Python package."""
    spec = importlib.util.find_spec("tensorflow_text")
    for folder in (spec and spec.submodule_search_locations) or ():
        for library in sorted(Path(folder, "python").rglob("_*.so")):
            tf.load_op_library(str(library))


def type_names(types: Any) -> list[str]:
    """`[DT_FLOAT, DT_INT32]` ▶ `["FLOAT", "INT32"]`."""
    return [types_pb2.DataType.Name(kind).removeprefix("DT_") for kind in types]


def allowed_values(limited: Any) -> list[str]:
    """Names that an AttrDef or a kernel's constraint allows: types without `DT_`, or strings.

    Empty where anything goes.
    """
    listed = limited.allowed_values.list
    return type_names(listed.type) or [value.decode() for value in listed.s]


def attribute(attr: op_def_pb2.OpDef.AttrDef) -> list[Any]:
    """`[type, default or null, allowed values]`; a default is an AttrValue's one-line text."""
    default = None
    if attr.HasField("default_value"):
        default = text_format.MessageToString(attr.default_value, as_one_line=True)
    return [attr.type, default, allowed_values(attr)]


def arity(arg: op_def_pb2.OpDef.ArgDef) -> str:
    """Tensors in an argument: `""` one, `"#N"` as attribute N says, `"@T"` one a type of list T."""
    if arg.number_attr:
        return f"#{arg.number_attr}"
    return f"@{arg.type_list_attr}" if arg.type_list_attr else ""


def cpu_kernels() -> dict[str, list[Constraints]]:
    """Constraints of each unlabelled CPU kernel by op; an op without one is absent."""
    found: dict[str, list[Constraints]] = {}
    for kernel in kernels.get_all_registered_kernels().kernel:
        if kernel.device_type in CPU_DEVICES and not kernel.label:
            # Limits on numbers (one op has some) are left out: the op counts as unlimited there.
            limits = {c.name: names for c in kernel.constraint if (names := allowed_values(c))}
            found.setdefault(kernel.op, []).append(limits)
    return {op: merged(limits) for op, limits in found.items()}


def merged(kernels_of_op: list[Constraints]) -> list[Constraints]:
    """Joins kernels that differ in the types of one attribute only: same meaning, less text."""
    joined = sorted(
        {json.dumps(k, sort_keys=True): k for k in kernels_of_op}.values(),
        key=lambda limits: json.dumps(limits, sort_keys=True),
    )
    for name in sorted({name for limits in joined for name in limits}):
        groups: dict[str, Constraints] = {}
        for limits in joined:
            rest = {key: value for key, value in limits.items() if key != name}
            key = json.dumps([sorted(limits), rest], sort_keys=True)
            group = groups.setdefault(key, {**rest, **({name: []} if name in limits else {})})
            if name in limits:
                group[name] = sorted({*group[name], *limits[name]})
        joined = list(groups.values())
    return joined


def definitions(ops: dict[str, op_def_pb2.OpDef]) -> dict[str, dict[str, Any]]:
    """What the table keeps of each op: argument arities, attributes, CPU kernels."""
    on_cpu = cpu_kernels()
    return {
        name: {
            "inputs": [arity(arg) for arg in op.input_arg],
            "outputs": [arity(arg) for arg in op.output_arg],
            "attributes": {attr.name: attribute(attr) for attr in op.attr},
            "kernels": on_cpu.get(name, []),
        }
        for name, op in sorted(ops.items())
    }


def main(output: str) -> None:
    """Writes the dump to `output`."""
    core = registered_ops()
    load_text_libraries()
    text = {name: op for name, op in registered_ops().items() if name not in core}
    dump = {"core": definitions(core), "text": definitions(text)}
    Path(output).write_text(json.dumps(dump), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1])
