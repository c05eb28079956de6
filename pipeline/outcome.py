"""The outcome of a run, read from its artifacts: data, lengths, epochs, gate, serving, push."""

import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tensorflow_model_analysis as tfma

from components.data_report import FILE_NAME as DATA_REPORT
from components.data_report import DataReport
from components.evaluator import BASELINE_PROPERTY
from pipeline.run_record import Component
from serving.validation import report as serving_report
from trainer import batches
from trainer.training import HISTORY


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
class SliceResult:
    """Accuracy on a slice (the whole split is the slice of no name)."""

    slice: str
    accuracy: float
    examples: int
    failures: tuple[str, ...]


@dataclass(frozen=True)
class Outcome:
    """All that the report shows; parts of components that did not run are None."""

    data: DataReport | None
    lengths: Lengths | None
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


def _slices(evaluation: str) -> list[SliceResult]:
    failures = _failures(evaluation)
    results = []
    for key, outputs in tfma.load_eval_result(evaluation).slicing_metrics:
        metrics = next(iter(next(iter(outputs.values())).values()))
        name = ", ".join(f"{column}: {value}" for column, value in key)
        results.append(
            SliceResult(
                name,
                metrics["accuracy"]["doubleValue"],
                int(metrics["example_count"]["doubleValue"]),
                failures.get(name, ()),
            )
        )
    return sorted(results, key=lambda one: one.slice)


def _failures(evaluation: str) -> dict[str, tuple[str, ...]]:
    """What TFMA's validation holds against each slice, in words."""
    found: dict[str, tuple[str, ...]] = {}
    validation = tfma.load_validation_result(evaluation)
    for per_slice in validation.metric_validations_per_slice:
        name = ", ".join(
            f"{key.column}: {key.bytes_value.decode()}"
            for key in per_slice.slice_key.single_slice_keys
        )
        found[name] = tuple(failure.message or str(failure) for failure in per_slice.failures)
    return found
