"""Writes the splits of a recipe's run as JSON lines, for trainers outside of TFX.

    python benchmarks/splits.py out/reviews splits/

Beside ``train.jsonl``, ``eval.jsonl`` and ``test.jsonl`` (`text`, `label`) goes ``settings.json``:
the recipe's training settings, its labels in id order and the encoder's folder.
"""

import json
from collections.abc import Iterator
from pathlib import Path

import click


@click.command()
@click.argument("run_folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.argument("to", type=click.Path(path_type=Path))
def main(run_folder: Path, to: Path) -> None:
    """Export the splits of RUN_FOLDER, the folder of a recipe's run, into TO."""
    from pipeline.run_record import latest_run
    from trainer.card import read_card

    run = latest_run(str(run_folder / "metadata.sqlite"), run_folder.name)
    card = read_card(str(run["Trainer"].folder("model") / "Format-Serving"))
    to.mkdir(parents=True, exist_ok=True)
    for split in ("train", "eval", "test"):
        folder = run["TextExampleGen"].folder("examples") / f"Split-{split}"
        with (to / f"{split}.jsonl").open("w", encoding="utf-8") as file:
            for text, label in _rows(folder, card["text"], card["label"]):
                file.write(json.dumps({"text": text, "label": label}, ensure_ascii=False) + "\n")
    settings = {
        "train": card["train"],
        "max_tokens": card["max_tokens"],
        "labels": card["labels"],
        "encoder": str(run["EncoderImporter"].folder("model") / "Format-Serving"),
    }
    (to / "settings.json").write_text(json.dumps(settings, indent=1))


def _rows(folder: Path, text: str, label: str) -> Iterator[tuple[str, str]]:
    """Texts and labels of gzipped TFRecords of tf.train.Examples, in file order."""
    import tensorflow as tf

    files = sorted(str(path) for path in folder.iterdir())
    for record in tf.data.TFRecordDataset(files, compression_type="GZIP"):
        features = tf.train.Example.FromString(record.numpy()).features.feature
        yield tuple(features[key].bytes_list.value[0].decode() for key in (text, label))


if __name__ == "__main__":
    main()
