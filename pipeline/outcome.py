"""The outcome of a run, read from its artifacts: data, lengths, epochs, gate, serving, push."""

import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tensorflow_model_analysis as tfma

from components import entity_metrics
from components.data_report import FILE_NAME as DATA_REPORT
from components.data_report import DataReport
from components.evaluator import BASELINE_PROPERTY
from pipeline.evaluation import ACCURACY, ENTITY_F1
from pipeline.run_record import Component
from serving.validation import report as serving_report
from trainer import batches
from trainer.training import HISTORY

_DIFFERENCE = "_diff"


@dataclass(frozen=True)
class Lengths:
    """Pieces per text over all splits, [CLS] and [SEP] counted.

    Attributes:
        counts: texts by length.
        truncated: texts that lost pieces.
        dropped: pieces lost.
    """

    counts: Counter[int]
    truncated: int
    dropped: int


@dataclass(frozen=True)
class EntityResult:
    """Strict entity matches on a slice: of one type, or of all where `type` is empty."""

    type: str
    precision: float
    recall: float
    f1: float
    gold: int
    predicted: int


@dataclass(frozen=True)
class SliceResult:
    """The gate's metric on a slice (the whole split is the slice of no name).

    Attributes:
        slice: `"category: fresh"`.
        metric: `"accuracy"` or `"entity_f1"`.
        value: of the metric.
        examples: texts in the slice.
        failures: the bounds that the model missed there, in words.
        entities: of a tagger, over all types first, then by type; else empty.
    """

    slice: str
    metric: str
    value: float
    examples: int
    failures: tuple[str, ...] = ()
    entities: tuple[EntityResult, ...] = ()


@dataclass(frozen=True)
class Outcome:
    """All that the report shows; parts of components that did not run are None."""

    data: DataReport | None
    lengths: Lengths | None
    misaligned: int  # gold entities that fit no words; 0 for a classifier
    history: list[dict[str, Any]]
    slices: list[SliceResult]
    blessed: bool
    baseline: str
    serving: serving_report.Report | None
    pushed_to: Path | None


def read(run: dict[str, Component]) -> Outcome:
    """Reads what there is of a run."""
    blessing = _output(run, "Evaluator", "blessing")
    pushed = _output(run, "Pusher", "pushed_model")
    serving = _folder(run, "ServingValidator", "blessing")
    model_run = _folder(run, "Trainer", "model_run")
    evaluation = _folder(run, "Evaluator", "evaluation")
    examples = _folder(run, "TextExampleGen", "examples")
    transformed = _folder(run, "Transform", "transformed_examples")
    return Outcome(
        data=DataReport.from_json((examples / DATA_REPORT).read_text()) if examples else None,
        lengths=lengths(transformed) if transformed else None,
        misaligned=misaligned(transformed) if transformed else 0,
        history=json.loads((model_run / HISTORY).read_text()) if model_run else [],
        slices=_slices(str(evaluation)) if evaluation else [],
        blessed=bool(blessing and blessing.properties.get("blessed")),
        baseline=blessing.properties.get(BASELINE_PROPERTY, "") if blessing else "",
        serving=serving_report.read(serving) if serving else None,
        pushed_to=(
            Path(pushed.properties["pushed_destination"])
            if pushed and pushed.properties.get("pushed")
            else None
        ),
    )


def _output(run: dict[str, Component], name: str, key: str) -> Any:
    component = run.get(name)
    if not component or component.state not in ("done", "cached"):
        return None
    return next(iter(component.outputs.get(key, [])), None)


def _folder(run: dict[str, Component], name: str, key: str) -> Path | None:
    output = _output(run, name, key)
    return Path(output.uri) if output else None


def lengths(transformed: Path) -> Lengths:
    """Lengths over all splits of transformed examples."""
    counts: Counter[int] = Counter()
    truncated = dropped = 0
    for length, lost in batches.lengths([str(transformed / "Split-*" / "*")]):
        counts.update(length.numpy().tolist())
        truncated += int((lost.numpy() > 0).sum())
        dropped += int(lost.numpy().sum())
    return Lengths(counts, truncated, dropped)


def misaligned(transformed: Path) -> int:
    """Gold entities of all splits that fit no words; 0 of a classifier's texts."""
    return batches.total([str(transformed / "Split-*" / "*")], "misaligned_spans")


def _slices(evaluation: str) -> list[SliceResult]:
    failures = _failures(evaluation)
    results = []
    for key, outputs in tfma.load_eval_result(evaluation).slicing_metrics:
        found = next(iter(next(iter(outputs.values())).values()))
        # Of plots and of metrics of an earlier kind there is no doubleValue.
        metrics = {name: value.get("doubleValue", 0.0) for name, value in found.items()}
        name = ", ".join(f"{column}: {value}" for column, value in key)
        metric = ENTITY_F1 if ENTITY_F1 in metrics else ACCURACY
        results.append(
            SliceResult(
                name,
                metric,
                metrics[metric],
                int(metrics["example_count"]),
                failures.get(name, ()),
                _entities(metrics),
            )
        )
    return sorted(results, key=lambda one: one.slice)


def _entities(metrics: dict[str, float]) -> tuple[EntityResult, ...]:
    """What a tagger's metrics say of all entities, then of each type by name.

    Where there is a baseline, TFMA gives every metric once more, as the difference, `…_diff`.
    """
    ends = sorted(
        name.removeprefix(entity_metrics.F1)
        for name in metrics
        if name.partition(entity_metrics.SEPARATOR)[0] == entity_metrics.F1
        and name.removesuffix(_DIFFERENCE) not in metrics.keys() - {name}
    )
    return tuple(
        EntityResult(
            type=end.removeprefix(entity_metrics.SEPARATOR),
            precision=metrics[entity_metrics.PRECISION + end],
            recall=metrics[entity_metrics.RECALL + end],
            f1=metrics[entity_metrics.F1 + end],
            gold=int(metrics[entity_metrics.GOLD + end]),
            predicted=int(metrics[entity_metrics.PREDICTED + end]),
        )
        for end in ends
    )


def _failures(evaluation: str) -> dict[str, tuple[str, ...]]:
    """What TFMA's validation holds against each slice, in words."""
    found: dict[str, tuple[str, ...]] = {}
    validation = tfma.load_validation_result(evaluation)
    for per_slice in validation.metric_validations_per_slice:
        name = ", ".join(
            f"{key.column}: {key.bytes_value.decode()}"
            for key in per_slice.slice_key.single_slice_keys
        )
        found[name] = tuple(map(_in_words, per_slice.failures))
    return found


def _in_words(failure: Any) -> str:
    metric, value = failure.metric_key.name, failure.metric_value.double_value.value
    threshold = failure.metric_threshold
    if failure.message:
        return f"{metric}: {failure.message.strip()}"
    # TFMA's bounds are a little wider than the recipe's, which are what the user knows.
    if threshold.HasField("change_threshold"):
        allowed = round(-threshold.change_threshold.absolute.value, 5)
        return f"{metric} is {-value:.4f} less than the blessed model's, may drop {allowed:g}"
    return (
        f"{metric} is {value:.4f}, below {round(threshold.value_threshold.lower_bound.value, 5):g}"
    )
