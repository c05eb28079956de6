"""What each stage costs as the data grows: rows/s, CPU and memory, fixed part and per row.

    python benchmarks/scale.py --model out/reviews/serving/reviews
    python benchmarks/scale.py --rows 10000 --rows 100000 --rows 1000000
    python benchmarks/scale.py --ten-million

Texts are made up from real ones; each stage is a process of its own, watched from outside.
"""

import json
import os
import subprocess
from datetime import date
from pathlib import Path
from statistics import mean
from typing import Any

import click
import machine
import scale_run
import scale_stage
import scale_table
import scale_texts

from components import sources

RESULTS = Path(__file__).parent / "results" / "scale.json"
_TEN_MILLION = 10_000_000


@click.command()
@click.option("--rows", "sizes", multiple=True, type=int, default=(10_000, 100_000, 1_000_000))
@click.option("--ten-million", is_flag=True, help="10,000,000 rows, too: some 20 GB of disk.")
@click.option("--stage", "stages", multiple=True, type=click.Choice(list(scale_stage.STAGES)))
@click.option("--model", type=click.Path(exists=True, path_type=Path), help="For bulk inference.")
@click.option("--work", type=click.Path(path_type=Path), default=Path("out/benchmarks/scale"))
@click.option("--results", type=click.Path(path_type=Path), default=RESULTS, show_default=True)
def main(
    sizes: tuple[int, ...],
    ten_million: bool,
    stages: tuple[str, ...],
    model: Path | None,
    work: Path,
    results: Path,
) -> None:
    """Measure the stages at several numbers of rows; what is in the results already stays."""
    wanted = [name for name in stages or scale_stage.STAGES if model or name != "bulk inference"]
    real_texts = sources.localized(sources.catalogue.entries()["reviews"].source)
    for rows in [*sizes, *([_TEN_MILLION] if ten_million else [])]:
        folder = work / f"{rows}"
        scale_texts.write(real_texts, rows, folder / "texts.csv")
        for stage in wanted:
            found = _measure(stage, rows, folder, model)
            _add(results, found)
            click.echo(scale_table.line(found))
    results.with_suffix(".md").write_text(scale_table.markdown(json.loads(results.read_text())))


def _measure(stage: str, rows: int, folder: Path, model: Path | None) -> dict[str, Any]:
    if model:
        os.environ["SCALE_MODEL"] = str(model.absolute())
    watched, told = scale_run.run(stage, folder, f"{stage.replace(' ', '-')}.log")
    return {
        "stage": stage,
        "rows": rows,
        **told,
        "with_imports": watched.seconds,
        "peak_mb": watched.peak_mb(0.0, float("inf")),
        "bytes": (folder / "texts.csv").stat().st_size,
        "load": mean(watched.load),
        "date": date.today().isoformat(),
        "commit": _commit(),
        "machine": machine.describe("tensorflow", "apache-beam", "tfx"),
    }


def _commit() -> str:
    """Of this checkout; sizes of different commits are different programs."""
    command = ["git", "-C", str(Path(__file__).parent), "rev-parse", "--short", "HEAD"]
    return subprocess.run(command, capture_output=True, text=True).stdout.strip() or "?"


def _add(results: Path, found: dict[str, Any]) -> None:
    """Puts a measurement in place of an earlier one of the same stage and size."""
    known = json.loads(results.read_text()) if results.exists() else []
    key = (found["stage"], found["rows"])
    kept = [one for one in known if (one["stage"], one["rows"]) != key]
    results.parent.mkdir(parents=True, exist_ok=True)
    order = list(scale_stage.STAGES)
    rows = sorted([*kept, found], key=lambda one: (order.index(one["stage"]), one["rows"]))
    results.write_text(json.dumps(rows, indent=1) + "\n")


if __name__ == "__main__":
    main()
