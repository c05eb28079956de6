"""Fine-tunes the same encoder with transformers and PyTorch, on the same splits and settings.

    python benchmarks/hf_pytorch.py splits/ --epochs 1

Reads what `splits.py` wrote, of a classifier or a tagger; needs only torch and transformers, in an
environment of their own. A classifier's head is on the tanh-pooled output, as in rawbert. That of a
tagger is the softmax on the first piece of each of the source's words, other pieces ignored, and
its score is the strict F1 over the source's words: rawbert's words are BERT's, smaller, and its
score is over bytes (`ner_seqeval.py` gives both).
"""

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
import transformers
from hf_fine_tuning import Row, fine_tune, read, tokenizer_of
from torch.nn.functional import cross_entropy

IGNORED = -100  # what PyTorch's cross-entropy leaves out


def main() -> None:
    """Trains, evaluates and prints one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("splits", type=Path)
    parser.add_argument("--epochs", type=int, help="instead of the recipe's")
    parser.add_argument("--seed", type=int, help="instead of the recipe's")
    parser.add_argument("--learning-rate", type=float, help="instead of the recipe's")
    parser.add_argument("--rows", type=int, help="of train at most, for a trial")
    parser.add_argument("--results", type=Path, help="a JSON file to write")
    given = parser.parse_args()
    settings = json.loads((given.splits / "settings.json").read_text())
    for key in ("epochs", "seed", "learning_rate"):
        if getattr(given, key) is not None:
            settings["train"][key] = getattr(given, key)
    torch.manual_seed(settings["train"]["seed"])
    train = tag if settings["task"] == "tag" else classify
    found = json.dumps(train(given.splits, settings, given.rows), indent=1)
    print(found)
    if given.results:
        given.results.write_text(found + "\n")


def classify(folder: Path, settings: dict[str, Any], most: int | None) -> dict[str, Any]:
    """A classifier's figures; a label that train lacks is −1, which is never right."""
    tokenizer = tokenizer_of(Path(settings["encoder"]))
    tokenizer.enable_truncation(settings["max_tokens"])
    labels = {label: i for i, label in enumerate(settings["labels"])}

    def rows(split: str) -> list[Row]:
        found = read(folder, split)
        ids = [one.ids for one in tokenizer.encode_batch([row["text"] for row in found])]
        return [(one, labels.get(row["label"], -1)) for one, row in zip(ids, found, strict=True)]

    splits = {"train": rows("train")[:most], "eval": rows("eval"), "test": rows("test")}
    model = transformers.AutoModelForSequenceClassification.from_pretrained(
        settings["encoder"], num_labels=len(labels)
    )
    return fine_tune(
        model,
        splits,
        settings["train"],
        lambda logits, right: cross_entropy(logits, torch.tensor(right)),
        _accuracy,
    )


def _accuracy(answers: Iterator[tuple[torch.Tensor, list[int]]]) -> float:
    hits = [
        found == label
        for logits, right in answers
        for found, label in zip(logits.argmax(-1).tolist(), right, strict=True)
    ]
    return sum(hits) / len(hits)


def tag(folder: Path, settings: dict[str, Any], most: int | None) -> dict[str, Any]:
    """A tagger's figures; what truncation cuts off is O, and wrong where it is not."""
    tokenizer = tokenizer_of(Path(settings["encoder"]))
    tokenizer.enable_truncation(settings["max_tokens"])
    names = ["O", *(f"{edge}-{kind}" for kind in settings["labels"] for edge in "BI")]
    ids_of = {name: number for number, name in enumerate(names)}

    def rows(split: str) -> list[Row]:
        return [_tagged(row, tokenizer, ids_of) for row in read(folder, split)]

    splits = {"train": rows("train")[:most], "eval": rows("eval"), "test": rows("test")}
    model = transformers.AutoModelForTokenClassification.from_pretrained(
        settings["encoder"], num_labels=len(names)
    )
    return fine_tune(
        model, splits, settings["train"], _tag_loss, lambda answers: _entity_f1(answers, names)
    )


def _tagged(row: dict[str, Any], tokenizer: Any, ids_of: dict[str, int]) -> Row:
    """Ids; and the words' first pieces by word, with the tag id of each, and all tags' names."""
    encoded = tokenizer.encode(row["words"], is_pretokenized=True)
    targets, first = [IGNORED] * len(encoded.ids), dict[int, int]()
    for piece, word in enumerate(encoded.word_ids):
        if word is not None and word not in first:
            first[word] = piece
            targets[piece] = ids_of.get(row["tags"][word], IGNORED)
    return encoded.ids, (targets, first, row["tags"])


Tagged = tuple[list[int], dict[int, int], list[str]]


def _tag_loss(logits: torch.Tensor, right: list[Tagged]) -> torch.Tensor:
    targets = torch.nn.utils.rnn.pad_sequence(
        [torch.tensor(one) for one, _, _ in right], batch_first=True, padding_value=IGNORED
    )
    return cross_entropy(logits.transpose(1, 2), targets, ignore_index=IGNORED)


def _entity_f1(answers: Iterator[tuple[torch.Tensor, list[Tagged]]], names: list[str]) -> float:
    hits = given = 0
    for logits, right in answers:
        for row, (_, first, tags) in zip(logits.argmax(-1).tolist(), right, strict=True):
            found = [names[row[first[word]]] if word in first else "O" for word in range(len(tags))]
            predicted, gold = _entities(found), _entities(tags)
            hits, given = hits + len(predicted & gold), given + len(predicted) + len(gold)
    return 2 * hits / given


def _entities(tags: list[str]) -> set[tuple[int, int, str]]:
    """First word, word after the last, type; an I after another tag begins an entity (seqeval)."""
    found, start = set(), 0
    for at, (before, tag) in enumerate(zip(["O", *tags], [*tags, "O"], strict=True)):
        if tag[0] == "I" and before[2:] == tag[2:]:
            continue
        if before != "O":
            found.add((start, at, before[2:]))
        start = at
    return found


if __name__ == "__main__":
    main()
