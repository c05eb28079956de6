"""The model card: what a pushed model is for, learned from, reaches and is not good at.

Markdown in ``assets.extra/model_card.md`` of the pushed SavedModel, after M. Mitchell et al.,
"Model Cards for Model Reporting" (2019). It speaks of data and encoder by name and digest, never
by where they lay.
"""

import json
import re
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field, replace
from importlib import metadata
from typing import Any

from components.data_report import DataReport
from components.evaluation_results import METHODS, TITLES, EntityResult, SliceResult
from serving.validation.report import Report

FILE = "assets.extra/model_card.md"
NOT_TOLD = "not told by the recipe (key `card.{key}`)"
_FEW = 50
_LISTED = 30  # labels and slices that are listed by name


@dataclass(frozen=True)
class Told:
    """What the recipe and its sources tell.

    Attributes:
        encoder_digest: SHA-256 of the encoder's files.
        gate: metric ▶ bound in words.
    """

    name: str
    task: str
    data: str
    data_digest: str
    data_licence: str
    encoder: str
    encoder_licence: str
    encoder_digest: str = ""
    intended_use: str = ""
    limits: str = ""
    max_tokens: int = 0
    tf_serving: str = ""
    gate: dict[str, str] = field(default_factory=dict)

    def to_json(self) -> str:
        """As JSON, for a component's parameter."""
        return json.dumps(asdict(self), ensure_ascii=False, sort_keys=True)

    def with_encoder(self, digest: str) -> "Told":
        """Once the encoder was laid out and hashed."""
        return replace(self, encoder_digest=digest)

    @classmethod
    def from_json(cls, text: str) -> "Told":
        """Back from JSON."""
        return cls(**json.loads(text))


def markdown(
    told: Told,
    model: dict[str, Any],
    data: DataReport,
    slices: Sequence[SliceResult],
    serving: Report | None,
    version: str = "",
) -> str:
    """The whole card.

    Args:
        told: by the recipe and its sources.
        model: what `trainer.card` wrote: labels, training settings, history.
        data: what became of every row.
        slices: the gate's metric on the test split.
        serving: the serving checks' report.
        version: of the pushed model.
    """
    sections = {
        "Intended use": [_text(told.intended_use) or NOT_TOLD.format(key="intended_use")],
        "Model": _model(told, model),
        "Data": _data(told, data),
        "Metrics on the test split": _metrics(told, slices),
        "Limits": _limits(told, model, data),
        "Licences": [
            f"- encoder: {_text(told.encoder_licence)}",
            f"- data: {_text(told.data_licence)}",
        ],
        "Serving": _serving(told, serving),
    }
    made = f"{time.strftime('%Y-%m-%d', time.gmtime())} by rawbert {metadata.version('rawbert')}"
    head = [f"# Model card: {_text(told.name)}", "", f"Version {version or '–'}, made {made}."]
    parts = ["\n".join([f"## {title}", "", *lines]) for title, lines in sections.items()]
    return "\n\n".join(["\n".join(head), *parts]) + "\n"


def _model(told: Told, model: dict[str, Any]) -> list[str]:
    train, history = model.get("train", {}), model.get("history", [])
    best = [epoch["epoch"] for epoch in history if epoch["best"]][-1:]
    head = f", {_text(model['head'])} head" if model.get("head") else ""
    what = "entity types" if told.task == "tag" else "labels"
    return [
        f"- task: {told.task}{head}; raw text in, {what} out",
        f"- {len(model['labels'])} {what}: {_listed(model['labels'])}",
        f"- encoder: {_text(told.encoder)}"
        + (f", sha256 `{told.encoder_digest}`" if told.encoder_digest else ""),
        f"- trained for {len(history)} epochs of batches of {train.get('batch_size')},"
        f" learning rate {train.get('learning_rate')}, seed {train.get('seed')};"
        f" epoch {best[0] if best else '–'} was best on eval and kept",
    ]


def _data(told: Told, data: DataReport) -> list[str]:
    counted = data.entities or data.labels
    nothing: Counter[str] = Counter()
    names = sorted({name for by in counted.values() for name in by})
    splits = [split for split in ("train", "eval", "test") if split in data.rows]
    lines = [f"- {_text(told.data)}, digest `{told.data_digest}`"]
    lines += (
        [f"- {data.duplicates:,} rows whose text an earlier row has"] if data.duplicates else []
    )
    lines += [
        f"- {rows:,} rows in both {pair.replace('/', ' and ')}"
        for pair, rows in data.overlap.items()
        if rows
    ]
    what = "entities" if data.entities else "rows"
    table = [["texts", *(f"{data.rows[split]:,}" for split in splits)]]
    table += [
        [name, *(f"{counted.get(split, nothing)[name]:,}" for split in splits)]
        for name in names[:_LISTED]
    ]
    more = [f"\n… and {len(names) - _LISTED:,} more"] if len(names) > _LISTED else []
    return [*lines, "", *_table([what, *splits], table), *more]


def _metrics(told: Told, slices: Sequence[SliceResult]) -> list[str]:
    if not slices:
        return ["not measured"]
    metric = slices[0].metric
    rows = [
        [one.slice or "all", f"{one.value:.4f}", _between(one.interval), f"{one.examples:,}"]
        for one in slices[: _LISTED + 1]
    ]
    lines = [
        *_table(["slice", TITLES[metric], "95 % interval", "texts"], rows),
        "",
        f"Intervals: {METHODS[metric]}. Gate: {_text('; '.join(told.gate.values()))}.",
    ]
    for one in slices:
        if one.entities and not one.slice:
            lines += ["", *_entities(one.entities)]
    return lines


def _entities(entities: Iterable[EntityResult]) -> list[str]:
    rows = [
        [
            one.type or "all",
            *(f"{figure:.4f}" for figure in (one.precision, one.recall, one.f1)),
            _between(one.interval),
            f"{one.gold:,}",
        ]
        for one in entities
    ]
    return _table(["entities", "precision", "recall", "F1", "95 % interval", "in the data"], rows)


def _limits(told: Told, model: dict[str, Any], data: DataReport) -> list[str]:
    lines = [f"- {_text(told.limits)}"] if told.limits else []
    what, reads = "labels", f"the first {told.max_tokens} pieces of a text; the rest is dropped and"
    end = " counted in `dropped_tokens`"
    if told.task == "tag":
        what, reads = "types", f"a text in overlapping windows of {told.max_tokens} pieces, each"
        end = " without sight of the others"
    lines += [
        f"- reads {reads}{end}",
        f"- knows no more than its {len(model['labels'])} {what}, whatever a text is about; texts"
        " unlike the data above were not measured",
    ]
    in_train = (data.entities or data.labels).get("train", Counter())
    if few := sorted(name for name, count in in_train.items() if count < _FEW):
        lines.append(f"- seen fewer than {_FEW} times in training: {_listed(few)}")
    return lines


def _serving(told: Told, serving: Report | None) -> list[str]:
    if serving is None:
        return [f"not checked for TensorFlow Serving {told.tf_serving}"]
    state = "passed" if serving.blessed else "did not pass"
    lines = [
        f"- {state} the checks for TensorFlow Serving {told.tf_serving}:"
        f" {sum(serving.checks.values()):,} things looked at"
    ]
    if serving.latency:
        lines.append(
            f"- one raw text over gRPC on the machine that made it: median"
            f" {serving.latency.p50_ms:.1f} ms, 99 % within {serving.latency.p99_ms:.1f} ms"
        )
    return lines


def _table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    lines = [list(headings), ["---"] + ["---:"] * (len(headings) - 1)]
    lines += [[_text(row[0]), *row[1:]] for row in rows]
    return [f"| {' | '.join(line)} |" for line in lines]


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(map(_text, names[:_LISTED]))
    return shown + (f" … and {len(names) - _LISTED:,} more" if len(names) > _LISTED else "")


def _between(interval: tuple[float, float] | None) -> str:
    return f"{interval[0]:.4f} to {interval[1]:.4f}" if interval else "–"


def _text(words: str) -> str:
    """A user's words as Markdown that shows them and does nothing else."""
    return re.sub(r"([\\`*_\[\]<>|#&!~])", r"\\\1", " ".join(str(words).split()))
