"""The trained model as one SavedModel that answers raw strings."""

import os

import tensorflow as tf

from trainer import warmup
from trainer.servables.text import TextServable


def save(servable: TextServable, folder: str, max_tokens: int) -> None:
    """Writes the SavedModel, its method names and its warm-up requests.

    Args:
        servable: traced here, once a signature.
        folder: the SavedModel's; local or remote.
        max_tokens: length of the longest warm-up text, in pieces.
    """
    tf.saved_model.save(servable, folder, signatures=servable.signatures())
    _finish_graph(os.path.join(folder, "saved_model.pb"), servable.method_names)
    warmup.write(folder, max_tokens)


def _finish_graph(path: str, method_names: dict[str, str]) -> None:
    """Gives signatures TF Serving's method names, tables names without a path, variables none.

    TF 2 writes every signature as a Predict, and `tf.lookup.TextFileInitializer` puts the training
    machine's path into its table's ``shared_name``. Two tables may share a name only if they share
    their content, so a path becomes its digest.
    """
    from hashlib import sha256

    from tensorflow.core.protobuf import saved_model_pb2

    saved_model = saved_model_pb2.SavedModel()
    with tf.io.gfile.GFile(path, "rb") as file:
        saved_model.ParseFromString(file.read())
    for meta_graph in saved_model.meta_graphs:
        for name, method in method_names.items():
            meta_graph.signature_def[name].method_name = method
        graph = meta_graph.graph_def
        for nodes in (graph.node, *(function.node_def for function in graph.library.function)):
            for node in nodes:
                shared_name = node.attr["shared_name"].s if "shared_name" in node.attr else b""
                if b"/" in shared_name:
                    digest = sha256(shared_name).hexdigest()[:16]
                    node.attr["shared_name"].s = f"table_{digest}".encode()
                if node.op == "VarHandleOp":  # an attribute that older servers log as unknown
                    node.attr.pop("debug_name", None)
                if "config_proto" in node.attr:
                    node.attr["config_proto"].s = _alone(node.attr["config_proto"].s)
    with tf.io.gfile.GFile(path, "wb") as file:
        file.write(saved_model.SerializeToString(deterministic=True))


def _alone(session: bytes) -> bytes:
    """A called function's session settings without the other workers of the training."""
    from tensorflow.core.protobuf import config_pb2

    config = config_pb2.ConfigProto.FromString(session)
    if not config.device_filters:
        return session
    config.ClearField("device_filters")
    config.ClearField("graph_options")  # rewrites for collectives
    config.experimental.ClearField("collective_group_leader")
    config.experimental.ClearField("coordination_config")
    return config.SerializeToString(deterministic=True)
