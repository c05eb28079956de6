"""Batching by TensorFlow's own batch op: requests that come together are run together.

TF Serving wraps its session in a BatchingSession over the same scheduler
(tensorflow_serving/batching/batching_session.h); in Python that scheduler is reached through the
op BatchFunction. For each signature whose tensors all have a free first dimension, the part of the
graph between its inputs and outputs becomes the function of such an op. Who comes while a batch
thread has nothing to do need not wait for company; the op cannot know, so `Others` does.
"""

import threading
from collections.abc import Sequence

import tensorflow as tf
from tensorflow.core.framework.graph_pb2 import GraphDef
from tensorflow.core.protobuf.meta_graph_pb2 import SignatureDef

from serving.batching_parameters import Batching


class Others:
    """Counts requests under way: `with` gives how many others there are at its beginning."""

    def __init__(self) -> None:
        self._counting = threading.Lock()
        self._count = 0

    def __enter__(self) -> int:
        with self._counting:
            self._count += 1
            return self._count - 1

    def __exit__(self, *_: object) -> None:
        with self._counting:
            self._count -= 1


def batched_outputs(
    graph: tf.Graph, signature: SignatureDef, batching: Batching
) -> dict[str, tf.Tensor] | None:
    """The signature's outputs computed batch-wise, by name; adds an op to the graph.

    Splitting is off wherever an output's width varies: the parts of a split request run in
    different batches, whose outputs differ in width and could not be put together again.

    Returns:
        None if the signature cannot be batched: a tensor of it has a fixed first dimension, none
        at all, or the graph between has TF 1 reference variables.
    """
    tensor = graph.get_tensor_by_name
    inputs = [tensor(signature.inputs[name].name) for name in sorted(signature.inputs)]
    names = sorted(signature.outputs)
    outputs = [tensor(signature.outputs[name].name) for name in names]
    if not inputs or not all(map(_has_batch, [*inputs, *outputs])):
        return None
    between = _between(graph, inputs, outputs)
    if between is None:
        return None
    nodes, resources = between

    def compute(*rows: tf.Tensor) -> list[tf.Tensor]:
        function_graph = tf.compat.v1.get_default_graph()
        replaced = dict(zip([one.name for one in inputs], rows, strict=True))
        replaced |= {one.name: function_graph.capture(one) for one in resources}
        returned = [one.name for one in outputs]
        return tf.graph_util.import_graph_def(nodes, replaced, returned, name="")

    fixed_width = all(output.shape[1:].is_fully_defined() for output in outputs)
    batch = tf.nondifferentiable_batch_function(
        batching.num_batch_threads,
        batching.rows_at_once,
        batching.batch_timeout_micros,
        list(batching.allowed_batch_sizes),
        batching.max_enqueued_batches,
        autograph=False,
        enable_large_batch_splitting=batching.enable_large_batch_splitting and fixed_width,
    )
    with graph.as_default():
        return dict(zip(names, batch(compute)(*inputs), strict=True))


def _has_batch(tensor: tf.Tensor) -> bool:
    return bool(tensor.shape.rank) and tensor.shape[0] is None and tensor.dtype != tf.resource


def _between(
    graph: tf.Graph, inputs: Sequence[tf.Tensor], outputs: Sequence[tf.Tensor]
) -> tuple[GraphDef, list[tf.Tensor]] | None:
    """The nodes that compute outputs from inputs, and the resources that they use.

    Variables and tables stay where the session has initialised them; the function captures their
    handles.
    """
    ends = [output.op.name for output in outputs]
    whole = tf.compat.v1.graph_util.extract_sub_graph(graph.as_graph_def(), ends)
    nodes = GraphDef(versions=whole.versions, library=whole.library)
    fed, resources = {one.op.name for one in inputs}, []
    if fed & set(ends):
        return None
    for node in whole.node:
        produced = graph.get_operation_by_name(node.name).outputs
        if any(output.dtype._is_ref_dtype for output in produced):
            return None
        if any(output.dtype == tf.resource for output in produced):
            resources += produced
        elif node.name not in fed:
            nodes.node.append(node)
    return nodes, resources
