"""Fine-tunes the same encoder with transformers and PyTorch, on the same splits and settings.

    python benchmarks/hf_pytorch.py splits/ --epochs 1

Reads what `splits.py` wrote; needs only torch and transformers (``pip install -e .[bench]``, or an
environment of their own). Same as in rawbert: head on the tanh-pooled output, AdamW without decay
on biases and LayerNorm, linear warm-up and decay, clipping, batches cut from length-sorted pools of
64 batches, best epoch by eval accuracy. Tokenizing is not in the times, as it is not in rawbert's.
"""

import argparse
import copy
import json
import os
import random
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
import transformers
from tokenizers import BertWordPieceTokenizer

POOL_BATCHES = 64
Row = tuple[list[int], int]  # ids, label id


def main() -> None:
    """Trains, evaluates and prints one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("splits", type=Path)
    parser.add_argument("--epochs", type=int, help="instead of the recipe's")
    parser.add_argument("--seed", type=int, help="instead of the recipe's")
    parser.add_argument("--rows", type=int, help="of train at most, for a trial")
    parser.add_argument("--results", type=Path, help="a JSON file to write")
    given = parser.parse_args()
    settings = json.loads((given.splits / "settings.json").read_text())
    for key in ("epochs", "seed"):
        if getattr(given, key) is not None:
            settings["train"][key] = getattr(given, key)
    splits = {name: _read(given.splits, name, settings) for name in ("train", "eval", "test")}
    splits["train"] = splits["train"][: given.rows]
    found = json.dumps(train(splits, settings), indent=1)
    print(found)
    if given.results:
        given.results.write_text(found + "\n")


def _read(folder: Path, split: str, settings: dict[str, Any]) -> list[Row]:
    """Truncated token ids, and label ids; −1 where train lacks the label, which is never right."""
    rows = [json.loads(line) for line in (folder / f"{split}.jsonl").open(encoding="utf-8")]
    encoder = Path(settings["encoder"])
    lower_case = json.loads((encoder / "tokenizer_config.json").read_text())["do_lower_case"]
    tokenizer = BertWordPieceTokenizer(str(encoder / "vocab.txt"), lowercase=lower_case)
    tokenizer.enable_truncation(settings["max_tokens"])
    ids = [one.ids for one in tokenizer.encode_batch([row["text"] for row in rows])]
    labels = {label: i for i, label in enumerate(settings["labels"])}
    return [(one, labels.get(row["label"], -1)) for one, row in zip(ids, rows, strict=True)]


def train(splits: dict[str, list[Row]], settings: dict[str, Any]) -> dict[str, Any]:
    """All epochs; the test accuracy is that of the best by eval accuracy."""
    how = settings["train"]
    torch.manual_seed(how["seed"])
    model = transformers.AutoModelForSequenceClassification.from_pretrained(
        settings["encoder"], num_labels=len(settings["labels"])
    )
    steps = -(-len(splits["train"]) // how["batch_size"]) * how["epochs"]
    optimizer, schedule = _optimizer(model, how, steps)
    epochs, best, best_eval = [], model.state_dict(), -1.0
    for epoch in range(how["epochs"]):
        started = time.monotonic()
        _epoch(model, optimizer, schedule, splits["train"], how, epoch)
        seconds = time.monotonic() - started
        accuracy = _accuracy(model, splits["eval"], how["batch_size"])
        epochs.append(
            {
                "eval_accuracy": accuracy,
                "seconds": seconds,
                "examples_per_s": len(splits["train"]) / seconds,
                "load": os.getloadavg()[0],
            }
        )
        if accuracy > best_eval:
            best_eval, best = accuracy, copy.deepcopy(model.state_dict())
    model.load_state_dict(best)
    return {
        "train": how,
        "rows": {name: len(rows) for name, rows in splits.items()},
        "epochs": epochs,
        "test_accuracy": _accuracy(model, splits["test"], how["batch_size"]),
        "torch": torch.__version__,
        "transformers": transformers.__version__,
        "threads": torch.get_num_threads(),
    }


def _optimizer(model: torch.nn.Module, how: dict[str, Any], steps: int) -> tuple[Any, Any]:
    decayed = [p for p in model.parameters() if p.dim() >= 2]
    others = [p for p in model.parameters() if p.dim() < 2]
    optimizer = torch.optim.AdamW(
        [
            {"params": decayed, "weight_decay": how["weight_decay"]},
            {"params": others, "weight_decay": 0.0},
        ],
        lr=how["learning_rate"],
        eps=1e-8,
    )
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
) -> None:
    model.train()
    for batch, labels in _batches(rows, how["batch_size"], random.Random(f"{how['seed']} {epoch}")):
        loss = torch.nn.functional.cross_entropy(model(**batch).logits, labels)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), how["clip_norm"])
        optimizer.step()
        schedule.step()
        optimizer.zero_grad(set_to_none=True)


def _accuracy(model: torch.nn.Module, rows: list[Row], batch_size: int) -> float:
    model.eval()
    right = 0
    with torch.inference_mode():
        for batch, labels in _batches(rows, batch_size):
            right += int((model(**batch).logits.argmax(-1) == labels).sum())
    return right / len(rows)


def _batches(
    rows: list[Row], batch_size: int, rng: random.Random | None = None
) -> Iterator[tuple[dict[str, torch.Tensor], torch.Tensor]]:
    """Batches of like lengths; in random order if there is a generator."""
    rows = rng.sample(rows, len(rows)) if rng else rows
    pool = batch_size * POOL_BATCHES
    for start in range(0, len(rows), pool):
        ordered = sorted(rows[start : start + pool], key=lambda row: len(row[0]))
        batches = [ordered[i : i + batch_size] for i in range(0, len(ordered), batch_size)]
        if rng:
            rng.shuffle(batches)
        yield from map(_padded, batches)


def _padded(rows: list[Row]) -> tuple[dict[str, torch.Tensor], torch.Tensor]:
    """``input_ids`` and ``attention_mask`` [batch, longest], and labels [batch]."""
    ids = [torch.tensor(one) for one, _ in rows]
    mask = [torch.ones_like(one) for one in ids]
    pad = torch.nn.utils.rnn.pad_sequence
    return (
        # Padded with 0, whatever the vocabulary's [PAD] is: the mask hides it.
        {"input_ids": pad(ids, batch_first=True), "attention_mask": pad(mask, batch_first=True)},
        torch.tensor([label for _, label in rows]),
    )


if __name__ == "__main__":
    main()
