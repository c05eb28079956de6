"""The outcome of a run, read from its artifacts: data, lengths, epochs, gate, serving, push."""

import json
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from components import evaluation_results
from components.data_report import FILE_NAME as DATA_REPORT
from components.data_report import DataReport
from components.evaluation_results import Confusion, EntityResult, SliceResult
from components.evaluator import BASELINE_PROPERTY
from pipeline.run_record import Component
from serving.validation import report as serving_report
from trainer import batches
from trainer.training import HISTORY

__all__ = [
    "EntityResult", "Lengths", "Outcome", "SliceResult", "binned", "lengths", "misaligned",
    "oddities", "read",
]  # fmt: skip


@dataclass(frozen=True)
class Lengths:
    """Pieces per text over all splits, [CLS] and [SEP] counted.

    Attributes:
        counts: texts by length.
        truncated: texts that lost pieces.
        dropped: pieces lost.
        whole: texts by length before they were cut.
    """

    counts: Counter[int]
    truncated: int
    dropped: int
    whole: Counter[int] = field(default_factory=Counter)


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
    confusion: Confusion = field(default_factory=dict)  # of a classifier

    def refusals(self) -> list[str]:
        """Why it was not pushed: bounds that the model missed, serving checks that failed."""
        gate = [f"gate: {why}" for one in self.slices for why in one.failures]
        findings = self.serving.findings if self.serving else []
        return gate + [f"serving: {finding}" for finding in findings]


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
        slices=evaluation_results.slices(str(evaluation)) if evaluation else [],
        blessed=bool(blessing and blessing.properties.get("blessed")),
        baseline=blessing.properties.get(BASELINE_PROPERTY, "") if blessing else "",
        serving=serving_report.read(serving) if serving else None,
        pushed_to=(
            Path(pushed.properties["pushed_destination"])
            if pushed and pushed.properties.get("pushed")
            else None
        ),
        confusion=evaluation_results.confusion(str(evaluation)) if evaluation else {},
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
    whole: Counter[int] = Counter()
    truncated = dropped = 0
    for length, lost in batches.lengths([str(transformed / "Split-*" / "*")]):
        counts.update(length.numpy().tolist())
        whole.update((length + lost).numpy().tolist())
        truncated += int((lost.numpy() > 0).sum())
        dropped += int(lost.numpy().sum())
    return Lengths(counts, truncated, dropped, whole)


def oddities(report: DataReport, misaligned: int) -> dict[str, int]:
    """What is odd about the rows ▶ how many there are; what did not happen is left out.

    Args:
        report: TextExampleGen's.
        misaligned: gold entities that fit no words.
    """
    notes = {
        "rows not kept by `keep`": report.not_kept,
        "bad rows": report.bad_rows,
        "empty texts": report.empty_texts,
        "copies of earlier texts": report.duplicates,
        "texts with more than one label": report.conflicts,
        "illegal tags read as they stand": sum(report.repaired.values()),
        "entities that fit no words, left out of the loss": misaligned,
        **{f"rows in both {pair.replace('/', ' and ')}": n for pair, n in report.overlap.items()},
    }
    return {what: number for what, number in notes.items() if number}


def binned(counts: Counter[int]) -> dict[int, int]:
    """Texts by the power of two, or one and a half, that holds their length."""
    uppers = sorted({n for k in range(2, 40) for n in (2**k, 3 * 2 ** (k - 1))})
    bins: Counter[int] = Counter()
    for length, texts in counts.items():
        bins[next(upper for upper in uppers if length <= upper)] += texts
    first, last = min(bins, default=4), max(bins, default=4)
    return {upper: bins[upper] for upper in uppers if first <= upper <= last}


def misaligned(transformed: Path) -> int:
    """Gold entities of all splits that fit no words; 0 of a classifier's texts."""
    return batches.total([str(transformed / "Split-*" / "*")], "misaligned_spans")
