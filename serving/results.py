"""A model's answers as typed, frozen objects."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from serving.rows import rows

_LABEL = ("label", "score", "labels", "scores", "dropped_tokens")
_ENTITY = {
    "text": "entities",
    "type": "entity_types",
    "start": "entity_starts",
    "end": "entity_ends",
    "char_start": "entity_char_starts",
    "char_end": "entity_char_ends",
    "score": "entity_scores",
}


class OtherTask(ValueError):
    """The signature's outputs are not those of the task that was asked for (exit code 2)."""


@dataclass(frozen=True)
class Label:
    """A classifier's answer to one text.

    Attributes:
        label: the best one.
        score: its probability.
        scores: the probability of each label.
        dropped_tokens: how many tokens at the text's end the model did not see.
    """

    label: str
    score: float
    scores: dict[str, float]
    dropped_tokens: int


@dataclass(frozen=True)
class Entity:
    """An entity that a tagger found in a text.

    Attributes:
        text: as it stands in the text (U+FFFD for bytes that are no UTF-8).
        type: PER, LOC, …
        start, end: its place in the UTF-8 bytes of the text, end excluded.
        char_start, char_end: its place in the text's code points, what slices a Python str.
        score: its probability.
    """

    text: str
    type: str
    start: int
    end: int
    char_start: int
    char_end: int
    score: float


def labels(outputs: Mapping[str, np.ndarray], signature: str) -> list[Label]:
    """One label a text.

    Args:
        outputs: arrays `[batch, …]` of a classifier.
        signature: which one gave them, for the error.

    Raises:
        OtherTask: these are not a classifier's outputs.
    """
    return [_label(row) for row in rows(_chosen(outputs, _LABEL, signature, "labels"))]


def entities(outputs: Mapping[str, np.ndarray], signature: str) -> list[list[Entity]]:
    """The entities of each text, in the order of the text.

    Raises:
        OtherTask: these are not a tagger's outputs.
    """
    names = (*_ENTITY.values(), "n_entities")
    return [_entities(row) for row in rows(_chosen(outputs, names, signature, "entities"))]


def _chosen(
    outputs: Mapping[str, np.ndarray], names: tuple[str, ...], signature: str, wanted: str
) -> dict[str, np.ndarray]:
    missing = [name for name in names if name not in outputs]
    if missing:
        raise OtherTask(
            f"signature {signature} gives no {wanted}: it lacks {', '.join(missing)}. "
            f"It has {', '.join(outputs) or 'no outputs'}."
        )
    return {name: outputs[name] for name in names}


def _label(row: dict[str, Any]) -> Label:
    by_label = dict(zip(row["labels"], row["scores"], strict=True))
    return Label(row["label"], row["score"], by_label, row["dropped_tokens"])


def _entities(row: dict[str, Any]) -> list[Entity]:
    columns = {field: row[output] for field, output in _ENTITY.items()}
    return [
        Entity(**{field: column[number] for field, column in columns.items()})
        for number in range(row["n_entities"])
    ]
