"""What a report is made from."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.check import Inputs
from pipeline.outcome import Outcome
from pipeline.recipe import Recipe
from pipeline.run_record import Component
from pipeline.runners.local import Stage


@dataclass(frozen=True)
class Run:
    """A run that has ended.

    Attributes:
        path: of the recipe, as the user gave it.
        folder: the run's, where the report goes.
        components: by id, as ML Metadata has them.
        stages: what this run did, in order.
        stopped: why it ended before its end; empty if it did not.
    """

    recipe: Recipe
    inputs: Inputs
    path: Path
    folder: Path
    outcome: Outcome
    components: dict[str, Component]
    stages: Sequence[Stage]
    stopped: str = ""
