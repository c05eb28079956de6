"""transformers on PyTorch: the step that its Trainer takes, with PyTorch's fused AdamW."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
import transformers

Batch = dict[str, np.ndarray]
_NAMES = {
    "input_word_ids": "input_ids",
    "input_mask": "attention_mask",
    "input_type_ids": "token_type_ids",
    "label": "labels",
}


def load(
    folder: str, head: np.ndarray, how: dict[str, Any], threads: int
) -> tuple[Callable[[Batch], float], Callable[[Batch], float]]:
    """See `trainers.rawbert.load`."""
    torch.set_num_threads(threads)
    torch.set_num_interop_threads(1)
    transformers.logging.set_verbosity_error()
    model = transformers.AutoModelForSequenceClassification.from_pretrained(
        folder, attn_implementation="sdpa", dtype=torch.float32
    )
    with torch.no_grad():
        model.classifier.weight.copy_(torch.from_numpy(head.T))
        model.classifier.bias.zero_()
    decayed = [variable for variable in model.parameters() if variable.dim() >= 2]
    others = [variable for variable in model.parameters() if variable.dim() < 2]
    adamw = torch.optim.AdamW(
        [
            {"params": decayed, "weight_decay": how["weight_decay"]},
            {"params": others, "weight_decay": 0.0},
        ],
        lr=how["learning_rate"],
        eps=1e-8,
        fused=True,
    )

    def forward(batch: Batch) -> torch.Tensor:
        tensors = {_NAMES[name]: torch.from_numpy(rows).long() for name, rows in batch.items()}
        return model(**tensors).loss

    def train(batch: Batch) -> float:
        model.train()
        loss = forward(batch)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), how["clip_norm"])
        adamw.step()
        adamw.zero_grad(set_to_none=True)
        return loss.item()

    def judge(batch: Batch) -> float:
        model.eval()
        with torch.inference_mode():
            return forward(batch).item()

    return train, judge
