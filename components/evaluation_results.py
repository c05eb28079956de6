"""What the Evaluator's artifact says: the gate's metric by slice, its interval, confusions."""

from dataclasses import dataclass
from typing import Any

import tensorflow_model_analysis as tfma
from tensorflow_model_analysis import constants

from components import entity_metrics, intervals

ACCURACY, ENTITY_F1 = "accuracy", entity_metrics.F1
METHODS = {ACCURACY: intervals.METHOD, ENTITY_F1: entity_metrics.METHOD}
TITLES = {ACCURACY: "accuracy", ENTITY_F1: "entity F1"}
DROPPED = "less than the blessed model's"  # in the words of a failure that the baseline caused
_DIFFERENCE = "_diff"
_MATRIX = "multiClassConfusionMatrixAtThresholds"

Interval = tuple[float, float]
Confusion = dict[tuple[int, int], int]  # (label id in the data, label id given) ▶ texts


@dataclass(frozen=True)
class EntityResult:
    """Strict entity matches on a slice: of one type, or of all where `type` is empty."""

    type: str
    precision: float
    recall: float
    f1: float
    gold: int
    predicted: int
    interval: Interval | None = None  # of F1


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
        interval: of the value, by `METHODS`; None where the Evaluator measured none.
        change: against the last blessed model; None where there is none to compare with.
    """

    slice: str
    metric: str
    value: float
    examples: int
    failures: tuple[str, ...] = ()
    entities: tuple[EntityResult, ...] = ()
    interval: Interval | None = None
    change: float | None = None


def slices(evaluation: str) -> list[SliceResult]:
    """All slices of an evaluation's folder, the whole split first."""
    failures = _failures(evaluation)
    results = []
    for key, outputs in tfma.load_eval_result(evaluation).slicing_metrics:
        found = next(iter(next(iter(outputs.values())).values()))
        # Of plots and of metrics of an earlier kind there is no doubleValue.
        metrics = {name: value.get("doubleValue", 0.0) for name, value in found.items()}
        name = _named(key)
        metric = ENTITY_F1 if ENTITY_F1 in metrics else ACCURACY
        results.append(
            SliceResult(
                name,
                metric,
                metrics[metric],
                int(metrics["example_count"]),
                failures.get(name, ()),
                _entities(metrics),
                _interval(metrics, metric),
                metrics.get(metric + _DIFFERENCE),
            )
        )
    return sorted(results, key=lambda one: one.slice)


def confusion(evaluation: str) -> Confusion:
    """Texts of the whole split by label in the data and label given; empty if not measured."""
    plots = tfma.load_eval_result(evaluation).plots
    if not plots:  # where there is a baseline, plots are by model
        plots = tfma.load_eval_result(evaluation, model_name=constants.CANDIDATE_KEY).plots
    for key, outputs in plots:
        if not key and outputs:
            [found] = outputs[""].values()
            [matrix] = found[_MATRIX]["matrices"]
            return _counts(matrix)
    return {}


def _counts(matrix: dict[str, Any]) -> Confusion:
    return {
        (entry.get("actualClassId", 0), entry.get("predictedClassId", 0)): round(
            entry["numWeightedExamples"]
        )
        for entry in matrix.get("entries", [])
    }


def _named(key: Any) -> str:
    return ", ".join(f"{column}: {value}" for column, value in key)


def _interval(metrics: dict[str, float], metric: str) -> Interval | None:
    if metric == ACCURACY:
        return intervals.wilson(metrics[ACCURACY], int(metrics["example_count"]))
    return _of_f1(metrics, "")


def _of_f1(metrics: dict[str, float], end: str) -> Interval | None:
    low, high = (metrics.get(name + end) for name in (entity_metrics.LOW, entity_metrics.HIGH))
    return None if low is None or high is None else (low, high)


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
            interval=_of_f1(metrics, end),
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
        return f"{metric} is {-value:.4f} {DROPPED}, may drop {allowed:g}"
    return (
        f"{metric} is {value:.4f}, below {round(threshold.value_threshold.lower_bound.value, 5):g}"
    )
