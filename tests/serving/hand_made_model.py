"""SavedModels written as protos alone, in no time: signatures and nodes, nothing that runs."""

import json
from pathlib import Path
from typing import Any

from serving.protos import bare_tensorflow

with bare_tensorflow():
    from tensorflow.core.protobuf import meta_graph_pb2, saved_model_pb2

Widths = dict[str, dict[str, list[int] | None]]  # shapes of a signature's outputs; None: any rank

CLASSIFIER: Widths = {"serving_default": {"label": [-1], "scores": [-1, 2]}}
TAGGER: Widths = {"serving_default": {"tags": [-1, -1], "n_tokens": [-1]}}


def write(
    folder: Path,
    signatures: Widths = CLASSIFIER,
    card: dict[str, Any] | None = None,
    op: str = "NoOp",
    size: int = 0,
) -> Path:
    """Writes a version; `size` bytes of variables beside the graph."""
    meta_graph = meta_graph_pb2.MetaGraphDef()
    meta_graph.meta_info_def.tags.append("serve")
    meta_graph.graph_def.node.add(name="node", op=op)
    for name, outputs in signatures.items():
        signature = meta_graph.signature_def[name]
        signature.inputs["text"].tensor_shape.dim.add(size=-1)
        for key, shape in outputs.items():
            output = signature.outputs[key].tensor_shape
            output.unknown_rank = shape is None
            for width in shape or ():
                output.dim.add(size=width)
    (folder / "assets.extra").mkdir(parents=True)
    (folder / "variables").mkdir()
    (folder / "variables" / "variables.data-00000-of-00001").write_bytes(bytes(size))
    if card is not None:
        (folder / "assets.extra" / "rawbert.json").write_text(json.dumps(card))
    model = saved_model_pb2.SavedModel(saved_model_schema_version=1, meta_graphs=[meta_graph])
    (folder / "saved_model.pb").write_bytes(model.SerializeToString())
    return folder
