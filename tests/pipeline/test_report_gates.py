"""The report's table of gates: each bound is refused by the failure that is about it."""

import pytest

from components.evaluation_results import SliceResult
from pipeline.outcome import Outcome
from pipeline.recipe import Gate, Recipe
from pipeline.report import gates

BELOW = "accuracy is 0.7000, below 0.8"
DROPPED = "accuracy is 0.1000 less than the blessed model's, may drop 0"
UNMEASURED = "accuracy: Metric not found."
DECISIONS = {
    "met": ((), ["passed", "passed"]),
    "below": ((BELOW,), ["refused", "passed"]),
    "worse": ((DROPPED,), ["passed", "refused"]),
    "both": ((BELOW, DROPPED), ["refused", "refused"]),
    "not measured": ((UNMEASURED,), ["refused", "passed"]),
}


def decisions(results: list[SliceResult], **gate: object) -> list[str]:
    said = {"name": "tiny", "data": {"path": "a.csv"}, "encoder": "e"}
    recipe = Recipe.model_validate({**said, "gate": {"accuracy": {"at_least": 0.8}, **gate}})
    assert isinstance(recipe.gate, Gate)
    outcome = Outcome(
        data=None, lengths=None, misaligned=0, history=[], slices=results, blessed=False,
        baseline="compared with model 1", serving=None, pushed_to=None,
    )  # fmt: skip
    [table, _] = gates.section(recipe, outcome).blocks
    return [row[1].words for row in table.cells()]


@pytest.mark.parametrize(("failures", "expected"), DECISIONS.values(), ids=DECISIONS)
def test_a_bound_and_the_baseline(failures: tuple[str, ...], expected: list[str]) -> None:
    assert decisions([SliceResult("", "accuracy", 0.7, 9, failures, change=-0.1)]) == expected


def test_slices_that_bind_alone_are_listed() -> None:
    slices = [
        SliceResult("", "accuracy", 0.9, 9),
        SliceResult("category: a", "accuracy", 0.4, 5, ("accuracy is 0.4000, below 0.5",)),
        SliceResult("category: b", "accuracy", 0.6, 4),
        SliceResult("source: c", "accuracy", 0.1, 4),
    ]
    binding = {"category": {"accuracy": {"at_least": 0.5}}, "source": {}}
    assert decisions(slices, slices=binding) == ["passed", "refused", "passed"]
