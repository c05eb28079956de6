"""The eval texts that the model answers worst, asked through its own signatures."""

import math
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import tensorflow as tf

from components.entity_metrics import Entity, gold_entities, predicted_entities
from pipeline.inspection.subject import Subject
from pipeline.page.blocks import Section, Table, Text
from serving.local import Local

Tell = Callable[[str, int, int], None]  # what, so many, of so many

Found = tuple[tuple[float, ...], list[str]]  # how bad, the higher the worse; what is shown

_BATCH, _SHOWN, _LETTERS = 32, 15, 300
_LEAST = 1e-12  # a score of 0 has a loss, too


def section(subject: Subject, model: Path, most: int, tell: Tell) -> Section:
    """The worst of at most so many eval texts, evenly drawn."""
    judge = _tagged if subject.task == "tag" else _classified
    total = subject.report.rows["eval"]
    every = max(1, math.ceil(total / most))
    asked = math.ceil(total / every)
    found: list[Found] = []
    with Local(model) as served:
        for number, rows in enumerate(_batches(subject.raw("eval"), every), 1):
            found = sorted(found + judge(subject, served, rows), key=lambda row: row[0])[-_SHOWN:]
            tell("asking the model", min(asked, number * _BATCH), asked)
    whole = "all" if every == 1 else f"1 in {every}, {asked:,} in all,"
    how, headings, texts = _SAID[judge]
    table = Table(headings, [cells for _, cells in reversed(found)], texts=texts)
    lead = Text(f"Of the eval texts {whole} were asked. {how}", "quiet")
    return Section("Hardest texts of eval", [lead, table])


def _batches(rows: tf.data.Dataset, every: int) -> Iterator[list[bytes]]:
    drawn = rows.shard(every, 0).as_numpy_iterator()
    while batch := list(islice(drawn, _BATCH)):
        yield batch


def _classified(subject: Subject, served: Local, rows: list[bytes]) -> list[Found]:
    """Loss of the true label, and what is shown."""
    answer = served.predict_arrays({"inputs": rows}, "classify")
    names = [name.decode("utf-8", "replace") for name in answer["classes"][0]]
    found: list[Found] = []
    for serialized, scores in zip(rows, answer["scores"].tolist(), strict=True):
        features = tf.train.Example.FromString(serialized).features.feature
        label, text = (_first(features[name]) for name in (subject.label, subject.text))
        if label not in names:
            continue
        loss = -math.log(max(_LEAST, scores[names.index(label)]))
        best = max(scores)
        given = f"{names[scores.index(best)]} ({best:.3f})"
        found.append(((loss,), [_short(text), label, given, f"{loss:.3f}"]))
    return found


def _tagged(subject: Subject, served: Local, rows: list[bytes]) -> list[Found]:
    """Entities wrong, then the lowest score, and what is shown."""
    answer = served.predict_arrays({"examples": rows}, "examples")
    found: list[Found] = []
    for number, serialized in enumerate(rows):
        text = tf.train.Example.FromString(serialized).features.feature[subject.text]
        one = {name: values[number] for name, values in answer.items()}
        gold, given = gold_entities(serialized), predicted_entities(one)
        missed, made_up = set(gold) - set(given), set(given) - set(gold)
        scores = one["entity_scores"].ravel()[: len(given)].tolist()
        lowest = min(scores, default=1.0)
        raw = text.bytes_list.value[0] if text.bytes_list.value else b""
        cells = [_short(_first(text)), _named(raw, missed), _named(raw, made_up)]
        wrong = len(missed) + len(made_up)
        found.append(((float(wrong), -lowest), [*cells, f"{wrong}", f"{lowest:.3f}"]))
    return found


_SAID: dict[Any, tuple[str, list[str], int]] = {
    _classified: (
        "Worst is the highest loss, −ln of the true label's score.",
        ["text", "in the data", "given (score)", "loss"],
        3,
    ),
    _tagged: (
        "A tagger's signatures give no loss: worst is the most entities wrong (missed or made up),"
        " then the lowest entity score.",
        ["text", "missed", "made up", "wrong", "lowest score"],
        3,
    ),
}


def _named(text: bytes, entities: set[Entity]) -> str:
    return "; ".join(
        f"{text[start:end].decode('utf-8', 'replace')} {kind}"
        for start, end, kind in sorted(entities)
    )


def _first(feature: Any) -> str:
    values = feature.bytes_list.value
    return values[0].decode("utf-8", "replace") if values else ""


def _short(text: str) -> str:
    return text if len(text) <= _LETTERS else f"{text[:_LETTERS]}…"
