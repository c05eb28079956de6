"""How far a model's answers may be apart that are one in exact arithmetic.

Between a row alone and the same row in a wider batch sums are taken in another order; in a lower
precision, their last digits decide how an input of the next product is rounded.
"""

from tensorflow.core.framework import types_pb2
from tensorflow.core.protobuf import meta_graph_pb2

from serving.ops.graph import walk

FLOAT32 = 1e-4
_LOWER = {types_pb2.DT_BFLOAT16: 1e-2, types_pb2.DT_HALF: 2e-3}


def tolerance(meta_graph: meta_graph_pb2.MetaGraphDef) -> float:
    """The tolerance that fits the precision of the graph's products."""
    kinds = {place.node.attr["T"].type for place in walk(meta_graph) if place.node.op == "MatMul"}
    return max([FLOAT32, *(_LOWER[kind] for kind in kinds if kind in _LOWER)])
