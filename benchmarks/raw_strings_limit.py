"""What no contender can beat: the dense products alone, at the fastest product's speed."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
from contenders.word_pieces import tokenizer

from trainer.model.config import EncoderConfig

_HERE = Path(__file__).parent
_PACKAGES = ("torch", "transformers", "tokenizers", "onnxruntime", "openvino")


def measure(peers: Path, threads: int, hf: str) -> dict[str, Any]:
    """GFLOP/s of the fastest product, and GFLOP that a piece needs.

    Counted are the products that every token goes through, all layers whole. Attention, norms,
    embeddings and the tokenizer are not.
    """
    config = EncoderConfig.from_json(hf)
    arguments = [
        str(_HERE / "gemm.py"), "--threads", str(threads), "--width", str(config.hidden_size)
    ]  # fmt: skip
    best = max(
        max(json.loads(subprocess.check_output([python, *arguments])).values())
        for python in (sys.executable, str(peers))
    )
    return {"gflops": best, "gflop_per_piece": 2e-9 * config.product_weights}


def pieces(hf: str, texts: dict[str, list[str]], max_tokens: int) -> dict[str, float]:
    """Pieces of a text on average, [CLS] and [SEP] counted, by kind."""
    arrays = tokenizer(hf, max_tokens)
    return {
        kind: round(float(np.mean(arrays(some)["attention_mask"].sum(1))), 2)
        for kind, some in texts.items()
    }


def versions(peers: Path) -> dict[str, str]:
    """Of the peers' packages."""
    program = (
        "import importlib.metadata as m, json;"
        f"print(json.dumps({{p: m.version(p) for p in {_PACKAGES!r}}}))"
    )
    return json.loads(subprocess.check_output([peers, "-c", program]))
