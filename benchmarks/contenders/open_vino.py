"""OpenVINO on the exported ONNX graph."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import openvino

from contenders.word_pieces import softmax, tokenizer

Answer = Callable[[list[str]], np.ndarray]


def load(folders: dict[str, str], threads: int, max_tokens: int, precision: str = "f32") -> Answer:
    """Its answers; left alone, it would take bfloat16 where the CPU has that."""
    core = openvino.Core()
    model = core.read_model(Path(folders["hf"]) / "exported.onnx")
    compiled = core.compile_model(
        model,
        "CPU",
        {
            "INFERENCE_PRECISION_HINT": precision,
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_NUM_THREADS": threads,
        },
    )
    arrays = tokenizer(folders["hf"], max_tokens)
    request = compiled.create_infer_request()
    return lambda texts: softmax(request.infer(arrays(texts))["logits"])
