"""What was asked of the model before it was pushed, and what it gave."""

from collections.abc import Iterable

from components.evaluation_results import DROPPED, TITLES
from pipeline.outcome import Outcome
from pipeline.page.blocks import Block, Cell, Section, Table, Text
from pipeline.recipe import Recipe
from serving.validation.report import Report

_PASSED, _REFUSED = Cell("passed", "good"), Cell("refused", "bad")


def section(recipe: Recipe, outcome: Outcome) -> Section:
    """The Evaluator's bounds and ServingValidator's checks, with values and decisions."""
    blocks: list[Block] = []
    if outcome.slices:
        blocks += [_bounds(recipe, outcome), Text(f"Baseline: {outcome.baseline}.", "quiet")]
    if outcome.serving:
        blocks += _serving(recipe, outcome.serving)
    return Section("Gates", blocks)


def _bounds(recipe: Recipe, outcome: Outcome) -> Table:
    gate, whole = recipe.gate, outcome.slices[0]
    title = TITLES[gate.metric]
    drops = [why for why in whole.failures if DROPPED in why]
    others = [why for why in whole.failures if DROPPED not in why]
    rows: list[list[str | Cell]] = [
        [
            f"{title} on the whole test split",
            _decision(others),
            f"≥ {gate.bound.at_least:g}",
            f"{whole.value:.4f}",
        ]
    ]
    if whole.change is not None:
        rows.append(
            [
                f"{title} against the last blessed model",
                _decision(drops),
                f"may drop {gate.bound.may_drop:g}",
                f"{whole.change:+.4f}",
            ]
        )
    bounds = gate.slice_bounds()
    for one in outcome.slices[1:]:
        at_least = bounds.get(one.slice.split(":")[0])
        if at_least is not None:
            rows.append([one.slice, _decision(one.failures), f"≥ {at_least:g}", f"{one.value:.4f}"])
    return Table(["gate", "decision", "bound", "value"], rows, texts=2, caption="Evaluator")


def _decision(failures: Iterable[str]) -> Cell:
    return _REFUSED if any(failures) else _PASSED


def _serving(recipe: Recipe, report: Report) -> list[Block]:
    found = {finding.check for finding in report.findings}
    rows: list[list[str | Cell]] = [
        [check, _REFUSED if check in found else _PASSED, f"{looked_at:,}"]
        for check, looked_at in report.checks.items()
    ]
    caption = f"ServingValidator, for TensorFlow Serving {recipe.serve.tf_serving}"
    blocks: list[Block] = [Table(["check", "decision", "looked at"], rows, 2, caption)]
    blocks += [Text(str(finding), "bad") for finding in report.findings]
    if report.latency:
        bound = recipe.serve.latency_ms
        told = f", at most {bound:g} ms" if bound else ", measured, not judged"
        blocks.append(
            Text(
                f"One raw text over gRPC: p50 {report.latency.p50_ms:.1f} ms{told};"
                f" p99 {report.latency.p99_ms:.1f} ms ({report.latency.requests} requests)."
            )
        )
    return blocks
