"""transformers on PyTorch, eager with its fused attention."""

from collections.abc import Callable

import numpy as np
import torch
import transformers

from contenders import gpu
from contenders.word_pieces import softmax, tokenizer

Answer = Callable[[list[str]], np.ndarray]


def load(
    folders: dict[str, str], threads: int, max_tokens: int, *, compiled: bool = False
) -> Answer:
    """Its answers in float32, on a GPU if that is wanted (TF32 there, as TensorFlow has it)."""
    device = "cuda" if gpu.wanted() else "cpu"
    torch.backends.cuda.matmul.allow_tf32 = True
    torch.set_num_threads(threads)
    torch.set_num_interop_threads(1)
    transformers.logging.set_verbosity_error()
    model = transformers.AutoModelForSequenceClassification.from_pretrained(
        folders["hf"], attn_implementation="sdpa", torch_dtype=torch.float32
    ).to(device).eval()  # fmt: skip
    forward = torch.compile(model, dynamic=True) if compiled else model
    arrays = tokenizer(folders["hf"], max_tokens)

    def answer(texts: list[str]) -> np.ndarray:
        with torch.inference_mode():
            inputs = {
                name: torch.from_numpy(array).to(device) for name, array in arrays(texts).items()
            }
            return softmax(forward(**inputs).logits.cpu().numpy())

    return answer
