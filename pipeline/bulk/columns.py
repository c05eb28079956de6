"""From a signature's outputs to `pred_…` columns: which there are, and a row's values."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from serving.results import entities
from serving.rows import rows

PREFIX = "pred_"
SIGNATURE = "examples"
_FIRST = ("label", "score", "scores")
_ENTITIES = (
    "entities", "entity_types", "entity_starts", "entity_ends", "entity_char_starts",
    "entity_char_ends", "entity_scores", "n_entities",
)  # fmt: skip

Answer = dict[str, Any]  # column ▶ str, int, float, or a list or dict of these


def wanted(outputs: Iterable[str]) -> list[str]:
    """The outputs that a bulk answer needs; of a tagger the entities alone."""
    names = sorted(outputs)
    return list(_ENTITIES) if set(_ENTITIES) <= set(names) else names


def columns(outputs: Iterable[str]) -> list[str]:
    """The columns that these outputs become, in the order in which they are written.

    >>> columns(["dropped_tokens", "label", "labels", "score", "scores"])
    ['pred_label', 'pred_score', 'pred_scores', 'pred_dropped_tokens']
    """
    names = set(wanted(outputs))
    if names == set(_ENTITIES):
        return [PREFIX + "entities"]
    if "scores" in names:
        names.discard("labels")  # the keys of `scores`
    ordered = [name for name in _FIRST if name in names]
    return [PREFIX + name for name in (*ordered, *sorted(names - set(ordered)))]


def answers(arrays: Mapping[str, np.ndarray]) -> list[Answer]:
    """One answer a row, its keys in the order of `columns`.

    A classifier's `pred_scores` are by label, a tagger's `pred_entities` a list of objects.

    Args:
        arrays: the `wanted` outputs, each `[batch, …]`.
    """
    if set(_ENTITIES) <= set(arrays):
        return [{PREFIX + "entities": [vars(one) for one in row]}
                for row in entities(arrays, SIGNATURE)]  # fmt: skip
    order = columns(arrays)
    return [_by_label(row, order) for row in rows(arrays)]


def _by_label(row: Answer, order: list[str]) -> Answer:
    labels, scores = row.get("labels"), row.get("scores")
    if isinstance(labels, list) and isinstance(scores, list):
        row["scores"] = dict(zip(labels, scores, strict=True))
    return {name: row[name.removeprefix(PREFIX)] for name in order}
