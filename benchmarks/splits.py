"""Writes the splits of a recipe's run as JSON lines, for trainers outside of TFX.

    python benchmarks/splits.py out/reviews splits/

Beside ``train.jsonl``, ``eval.jsonl`` and ``test.jsonl`` goes ``settings.json``: the recipe's
training settings, its labels in id order and the encoder's folder. A row is `text` and `label`, or
for a tagger `words`, the source's own, and their IOB2 `tags`.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click


@click.command()
@click.argument(
    "of", metavar="RUN_FOLDER", type=click.Path(exists=True, file_okay=False, path_type=Path)
)
@click.argument("to", type=click.Path(path_type=Path))
def main(of: Path, to: Path) -> None:
    """Export the splits of RUN_FOLDER, the folder of a recipe's run, into TO."""
    from pipeline import run_folder
    from pipeline.run_record import latest_run
    from trainer.card import read_card

    run = latest_run(str(run_folder.metadata(of)), of.name)
    card = read_card(str(run["Trainer"].folder("model") / "Format-Serving"))
    to.mkdir(parents=True, exist_ok=True)
    for split in ("train", "eval", "test"):
        folder = run["TextExampleGen"].folder("examples") / f"Split-{split}"
        with (to / f"{split}.jsonl").open("w", encoding="utf-8") as file:
            for row in _rows(folder, card):
                file.write(json.dumps(row, ensure_ascii=False) + "\n")
    settings = {
        "task": card["task"],
        "train": card["train"],
        "max_tokens": card["max_tokens"],
        "labels": card["labels"],
        "encoder": str(run["EncoderImporter"].folder("model") / "Format-Serving"),
    }
    (to / "settings.json").write_text(json.dumps(settings, indent=1))


def _rows(folder: Path, card: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Rows of gzipped TFRecords of tf.train.Examples, in file order."""
    import tensorflow as tf

    files = sorted(str(path) for path in folder.iterdir())
    for record in tf.data.TFRecordDataset(files, compression_type="GZIP"):
        example = tf.train.Example.FromString(record.numpy())
        if card["task"] == "tag":
            yield _tagged(example, card["text"])
        else:
            features = example.features.feature
            yield {
                key: features[card[key]].bytes_list.value[0].decode() for key in ("text", "label")
            }


def _tagged(example: Any, text: str) -> dict[str, Any]:
    from source_words import Words, word_tags

    from components.entity_metrics import gold_entities
    from trainer.span_columns import WORDS

    features = example.features.feature
    words = Words(*(features[key].int64_list.value for key in WORDS))
    raw = features[text].bytes_list.value[0]
    spans = zip(words.starts, words.ends, strict=True)
    return {
        "words": [raw[start:end].decode() for start, end in spans],
        "tags": word_tags(gold_entities(example.SerializeToString()), words),
    }


if __name__ == "__main__":
    main()
