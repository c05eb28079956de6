"""Model card data: what a SavedModel says of itself in ``assets.extra/rawbert.json``."""

import json
import os
from typing import Any

import tensorflow as tf

CARD = os.path.join("assets.extra", "rawbert.json")


def write_card(saved_model: str, card: dict[str, Any]) -> None:
    """Writes the card into a SavedModel folder (local or remote)."""
    path = os.path.join(saved_model, CARD)
    tf.io.gfile.makedirs(os.path.dirname(path))
    with tf.io.gfile.GFile(path, "w") as file:
        file.write(json.dumps(card, ensure_ascii=False, indent=1, sort_keys=True))


def read_card(saved_model: str) -> dict[str, Any]:
    """Reads the card of a SavedModel folder; empty if it has none."""
    path = os.path.join(saved_model, CARD)
    if not tf.io.gfile.exists(path):
        return {}
    with tf.io.gfile.GFile(path) as file:
        return json.load(file)
