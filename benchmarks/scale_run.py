"""A stage in a process of its own, watched from outside."""

import json
import shutil
import sys
from pathlib import Path
from typing import Any

import click
import scale_stage
from watch import Watched, watch

_MADE = {"Transform": ("graph", "transformed")}  # what a stage does not write a second time


def run(stage: str, folder: Path, log: str) -> tuple[Watched, dict[str, Any]]:
    """Runs a stage in a folder that has nothing left of an earlier run of it.

    Args:
        stage: of `scale_stage.STAGES`.
        folder: with the texts and what the stages before have written.
        log: the file in it that takes what the stage prints.

    Returns:
        What was seen from outside, and what the stage told of itself.

    Raises:
        ClickException: it failed; names the log.
    """
    for left in ("temporary", *_MADE.get(stage, ())):
        shutil.rmtree(folder / left, ignore_errors=True)
    path = folder / log
    watched = watch([sys.executable, scale_stage.__file__, stage, str(folder)], path)
    if watched.returncode:
        raise click.ClickException(f"{stage} in {folder} failed: see {path}")
    told = next(line for line in reversed(path.read_text().splitlines()) if line[:1] == "{")
    return watched, json.loads(told)
