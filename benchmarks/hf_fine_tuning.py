"""One fine-tuning for all tasks with transformers and PyTorch, set up as rawbert's.

Same as in rawbert: AdamW without decay on biases and LayerNorm, a rate of the head's own, linear
warm-up and decay, clipping, batches cut from length-sorted pools of 64 batches, best epoch by eval.
Tokenizing is not in the times, as it is not in rawbert's.
"""

import copy
import json
import os
import random
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
import transformers
from tokenizers import BertWordPieceTokenizer

POOL_BATCHES = 64
Row = tuple[list[int], Any]  # ids, and what is to be learned
Batch = tuple[dict[str, torch.Tensor], list[Any]]


def read(folder: Path, split: str) -> list[dict[str, Any]]:
    """Rows that `splits.py` wrote."""
    return [json.loads(line) for line in (folder / f"{split}.jsonl").open(encoding="utf-8")]


def tokenizer_of(encoder: Path) -> BertWordPieceTokenizer:
    """The encoder's, from its folder."""
    lower_case = json.loads((encoder / "tokenizer_config.json").read_text())["do_lower_case"]
    return BertWordPieceTokenizer(str(encoder / "vocab.txt"), lowercase=lower_case)


def fine_tune(
    model: transformers.PreTrainedModel,
    splits: dict[str, list[Row]],
    how: dict[str, Any],
    loss_of: Callable[[torch.Tensor, list[Any]], torch.Tensor],
    score_of: Callable[[Iterator[tuple[torch.Tensor, list[Any]]]], float],
) -> dict[str, Any]:
    """All epochs; the test score is that of the best by eval.

    Args:
        model: gives ``logits``.
        splits: train, eval, test.
        how: the recipe's `train` section.
        loss_of: logits and what is to be learned ▶ the batch's loss.
        score_of: all batches' logits and what is right ▶ the score.
    """
    steps = -(-len(splits["train"]) // how["batch_size"]) * how["epochs"]
    optimizer, schedule = _optimizer(model, how, steps)
    epochs, best, best_eval = [], model.state_dict(), -1.0
    for epoch in range(how["epochs"]):
        started = time.monotonic()
        _epoch(model, optimizer, schedule, splits["train"], how, epoch, loss_of)
        seconds = time.monotonic() - started
        score = score_of(_answers(model, splits["eval"], how["batch_size"]))
        epochs.append(
            {
                "eval": score,
                "seconds": seconds,
                "examples_per_s": len(splits["train"]) / seconds,
                "load": os.getloadavg()[0],
            }
        )
        print(json.dumps(epochs[-1]), flush=True)
        if score > best_eval:
            best_eval, best = score, copy.deepcopy(model.state_dict())
    model.load_state_dict(best)
    return {
        "train": how,
        "rows": {name: len(rows) for name, rows in splits.items()},
        "epochs": epochs,
        "test": score_of(_answers(model, splits["test"], how["batch_size"])),
        "torch": torch.__version__,
        "transformers": transformers.__version__,
        "threads": torch.get_num_threads(),
    }


def _optimizer(
    model: transformers.PreTrainedModel, how: dict[str, Any], steps: int
) -> tuple[Any, Any]:
    groups = []
    for of_encoder in (True, False):
        for decays in (True, False):
            groups.append(
                {
                    "params": [
                        variable
                        for name, variable in model.named_parameters()
                        if name.startswith(f"{model.base_model_prefix}.") == of_encoder
                        and (variable.dim() >= 2) == decays
                    ],
                    "weight_decay": how["weight_decay"] if decays else 0.0,
                    "lr": how["learning_rate"] * (1 if of_encoder else how.get("head_rate", 1)),
                }
            )
    optimizer = torch.optim.AdamW(groups, eps=1e-8)
    schedule = transformers.get_linear_schedule_with_warmup(
        optimizer, round(steps * how["warmup"]), steps
    )
    return optimizer, schedule


def _epoch(
    model: torch.nn.Module,
    optimizer: Any,
    schedule: Any,
    rows: list[Row],
    how: dict[str, Any],
    epoch: int,
    loss_of: Callable[[torch.Tensor, list[Any]], torch.Tensor],
) -> None:
    model.train()
    for batch, right in _batches(rows, how["batch_size"], random.Random(f"{how['seed']} {epoch}")):
        loss_of(model(**batch).logits, right).backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), how["clip_norm"])
        optimizer.step()
        schedule.step()
        optimizer.zero_grad(set_to_none=True)


def _answers(
    model: torch.nn.Module, rows: list[Row], batch_size: int
) -> Iterator[tuple[torch.Tensor, list[Any]]]:
    model.eval()
    with torch.inference_mode():
        for batch, right in _batches(rows, batch_size):
            yield model(**batch).logits, right


def _batches(rows: list[Row], batch_size: int, rng: random.Random | None = None) -> Iterator[Batch]:
    """Batches of like lengths; in random order if there is a generator."""
    rows = rng.sample(rows, len(rows)) if rng else rows
    pool = batch_size * POOL_BATCHES
    for start in range(0, len(rows), pool):
        ordered = sorted(rows[start : start + pool], key=lambda row: len(row[0]))
        batches = [ordered[i : i + batch_size] for i in range(0, len(ordered), batch_size)]
        if rng:
            rng.shuffle(batches)
        yield from map(_padded, batches)


def _padded(rows: Sequence[Row]) -> Batch:
    """``input_ids`` and ``attention_mask`` [batch, longest], and what is to be learned."""
    ids = [torch.tensor(one) for one, _ in rows]
    mask = [torch.ones_like(one) for one in ids]
    pad = torch.nn.utils.rnn.pad_sequence
    return (
        # Padded with 0, whatever the vocabulary's [PAD] is: the mask hides it.
        {"input_ids": pad(ids, batch_first=True), "attention_mask": pad(mask, batch_first=True)},
        [right for _, right in rows],
    )
