"""The pushed SavedModel, loaded as TensorFlow Serving loads it."""

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import tensorflow as tf
import tensorflow_text  # noqa: F401 - its ops

from contenders import gpu

Answer = Callable[[list[str]], np.ndarray]


def load(folders: dict[str, str], threads: int, max_tokens: int) -> Answer:
    """Ours."""
    return saved_model(Path(folders["saved_model"]), threads)


def saved_model(version: Path, threads: int) -> Answer:
    """A SavedModel's ``serving_default`` in a TF 1 Session, all outputs fetched."""
    if gpu.wanted() and not tf.config.list_physical_devices("GPU"):
        raise RuntimeError("TensorFlow sees no GPU: install tensorflow[and-cuda] of its version")
    graph = tf.Graph()
    config = tf.compat.v1.ConfigProto(
        intra_op_parallelism_threads=threads, inter_op_parallelism_threads=threads
    )
    session = tf.compat.v1.Session(graph=graph, config=config)
    with graph.as_default():
        meta = tf.compat.v1.saved_model.load(session, ["serve"], str(version))
    signature = meta.signature_def["serving_default"]
    names = sorted(signature.outputs)
    fetches = [graph.get_tensor_by_name(signature.outputs[name].name) for name in names]
    run = session.make_callable(
        fetches, feed_list=[graph.get_tensor_by_name(signature.inputs["text"].name)]
    )
    at = names.index("scores")
    return lambda texts: run([text.encode() for text in texts])[at]
