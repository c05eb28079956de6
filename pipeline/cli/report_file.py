"""Writes a run's `report.html`; a report that cannot be made is a warning, never a failed run."""

import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from pipeline.check import Inputs
    from pipeline.outcome import Outcome
    from pipeline.recipe import Recipe
    from pipeline.run_record import Component
    from pipeline.runners.local import Stage


def write(
    recipe: "Recipe",
    inputs: "Inputs",
    path: Path,
    folder: Path,
    stages: "Sequence[Stage]",
    ended: "tuple[dict[str, Component], Outcome] | None" = None,
    stopped: str = "",
) -> Path | None:
    """The report's path, or None where there is none.

    Args:
        path: of the recipe.
        folder: the run's.
        stages: what ran.
        ended: the run's record and outcome, if they were read already.
        stopped: why the run ended before its end.
    """
    try:
        from pipeline import outcome, run_folder, run_record
        from pipeline.report import build
        from pipeline.report.run import Run

        if ended is None:
            found = run_record.latest_run(str(run_folder.metadata(folder)), recipe.name)
            ended = found, outcome.read(found)
        components, result = ended
        return build.write(Run(recipe, inputs, path, folder, result, components, stages, stopped))
    except Exception as error:
        traceback.print_exc()  # into the log
        first = (str(error).strip().splitlines() or [""])[0][:200]
        click.echo(f"warning  no report.html: {type(error).__name__}: {first}")
        return None
