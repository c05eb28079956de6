"""What a recipe's run came to, read from its artifacts, as plain data for JSON."""

from pathlib import Path
from statistics import mean
from typing import Any

import machine
import stages
from watch import Watched

from pipeline import outcome, run_folder, run_record
from trainer.card import read_card


def read(folder: Path, recipe: str, watched: Watched) -> dict[str, Any]:
    """Accuracy, time and memory of the first, uncached run in a recipe's output folder.

    Args:
        folder: the recipe's, see `pipeline.run_folder`.
        recipe: its name.
        watched: the run's samples.
    """
    metadata_path = run_folder.metadata(folder)
    run = run_record.latest_run(str(metadata_path), recipe)
    result = outcome.read(run)
    card = read_card(str(run["Trainer"].folder("model") / "Format-Serving"))
    whole = next(one for one in result.slices if not one.slice)
    return {
        "recipe": recipe,
        "rows": dict(result.data.rows) if result.data else {},
        "max_tokens": card["max_tokens"],
        "train": card["train"],
        "epochs": [
            {key: epoch[key] for key in (f"eval_{whole.metric}", "seconds", "examples_per_s")}
            for epoch in result.history
        ],
        "examples_per_s": mean(epoch["examples_per_s"] for epoch in result.history),
        "metric": whole.metric,
        "test": whole.value,
        "test_rows": whole.examples,
        "slices": {one.slice: one.value for one in result.slices if one.slice},
        "pushed": result.pushed_to is not None,
        "one_text_p50_ms": _p50(result),
        "seconds": watched.seconds,
        "stages": [
            {
                "name": stage.name,
                "seconds": round(stage.seconds, 1),
                "peak_mb": watched.peak_mb(stage.start, stage.end),
            }
            for stage in stages.runs(metadata_path)[0]
        ],
        "load": {"mean": mean(watched.load), "max": max(watched.load)},
        "machine": machine.describe("tensorflow", "tensorflow-text", "keras", "tfx"),
    }


def _p50(result: outcome.Outcome) -> float | None:
    latency = result.serving.latency if result.serving else None
    return latency.p50_ms if latency else None


def read_rerun(folder: Path, watched: Watched) -> dict[str, Any]:
    """Time of the latest run, and what it did not find cached."""
    latest = stages.runs(run_folder.metadata(folder))[-1]
    return {
        "seconds": watched.seconds,
        "executed": [stage.name for stage in latest if stage.state != "cached"],
        "load_mean": mean(watched.load),
    }
