"""ONNX Runtime on the graph that its own optimizer fused."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnxruntime

from contenders.word_pieces import softmax, tokenizer

Answer = Callable[[list[str]], np.ndarray]


def load(
    folders: dict[str, str], threads: int, max_tokens: int, *, file: str = "model.onnx"
) -> Answer:
    """Its answers in float32."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(
        str(Path(folders["hf"]) / file), options, providers=["CPUExecutionProvider"]
    )
    arrays = tokenizer(folders["hf"], max_tokens)
    return lambda texts: softmax(session.run(["logits"], arrays(texts))[0])
