"""Serves a copy of a model from a fresh process that cannot import anything of the training."""

import contextlib
import os
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path

import tensorflow as tf
from tensorflow.core.framework import node_def_pb2
from tensorflow.core.protobuf import meta_graph_pb2

from serving.ops.graph import Place, walk
from serving.server.process import ServerProcess, spawn
from serving.validation.report import Finding

GUARD = Path(__file__).with_name("guard")
_PATH = re.compile(rb"(/[^/\0]+){2,}/?|(gs|s3|hdfs|viewfs|abfss?|file)://.+", re.DOTALL)
_LONGEST_PATH = 4096


@contextlib.contextmanager
def served_copy(model: str) -> Iterator[ServerProcess]:
    """A server process on a copy of the model, in a folder that is gone afterwards.

    Args:
        model: the SavedModel's folder, local or remote.

    Raises:
        NotAModel: it does not load.
        OSError: no room for the copy, or another fault of the machine.
    """
    with tempfile.TemporaryDirectory(prefix="served-copy-") as folder:
        base = Path(folder, "model")
        copy(model, base / "1")
        path = os.pathsep.join(filter(None, [str(GUARD), os.environ.get("PYTHONPATH")]))
        env = {**os.environ, "PYTHONPATH": path, "CUDA_VISIBLE_DEVICES": "-1"}
        with spawn(base, name="model", cwd=folder, env=env) as server:
            yield server


def copy(source: str, target: Path) -> None:
    """Copies a folder, local or remote, with all that is in it."""
    for folder, _, files in tf.io.gfile.walk(source):
        inside = target / os.path.relpath(folder, source)
        inside.mkdir(parents=True, exist_ok=True)
        for name in files:
            tf.io.gfile.copy(os.path.join(folder, name), str(inside / name))


def copy_graph(source: str, target: Path) -> None:
    """Copies `saved_model.pb` alone, if there is one."""
    path = os.path.join(source, "saved_model.pb")
    if tf.io.gfile.exists(path):
        tf.io.gfile.copy(path, str(target / "saved_model.pb"))


def foreign_files(meta_graph: meta_graph_pb2.MetaGraphDef) -> list[Finding]:
    """String constants that name a file or folder of this machine, or of a bucket.

    A copy of the model still finds such a file here, but no server will. An asset's path is no
    constant: the loader feeds it.
    """
    return [
        Finding(
            "hermetic",
            f"the graph names {path.decode('utf-8', 'replace')}, which is outside the model",
            f"constant {place.node.name}" + (f" in {place.function}" if place.function else ""),
            "Track the file as tf.saved_model.Asset, so that it travels with the model.",
        )
        for place in walk(meta_graph)
        for path in _constants(place.node)
        if _is_foreign(path, place)
    ]


def _constants(node: node_def_pb2.NodeDef) -> list[bytes]:
    return list(node.attr["value"].tensor.string_val) if node.op == "Const" else []


def _is_foreign(value: bytes, place: Place) -> bool:
    if len(value) > _LONGEST_PATH or not _PATH.fullmatch(value):
        return False
    return not value.startswith(b"/") or os.path.exists(value)
