"""Runs recipes with several seeds through the command line, one after another, and writes tables.

    python benchmarks/recipes.py recipes/reviews.yaml --seed 1 --seed 2 --seed 3 --rerun

A run whose folder is there already is read, not run again.
"""

import json
import os
import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import Any

import click
import table
from watch import Watched, watch

from pipeline import recipe as recipes

RESULTS = Path(__file__).parent / "results" / "recipes.json"
_WATCHED = "watched.json"


@click.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option("--seed", "seeds", multiple=True, type=int, default=(1,), show_default=True)
@click.option("--set", "overrides", multiple=True, metavar="KEY=VALUE", help="As of rawbert run.")
@click.option("--out", type=click.Path(path_type=Path), default=Path("out/benchmarks"))
@click.option("--rerun", is_flag=True, help="Run twice more: after a first run, and all cached.")
@click.option("--results", type=click.Path(path_type=Path), default=RESULTS, show_default=True)
def main(
    paths: tuple[Path, ...],
    seeds: tuple[int, ...],
    overrides: tuple[str, ...],
    out: Path,
    rerun: bool,
    results: Path,
) -> None:
    """Measure the recipes PATHS."""
    for path in paths:
        for seed in seeds:
            found = _measure(path, seed, overrides, out / f"seed-{seed}", rerun)
            _add(results, found)
            click.echo(
                f"{found['recipe']} seed {seed}: {found['metric']} on test {found['test']:.4f}, "
                f"{found['seconds'] / 60:.1f} minutes, load {found['load']['mean']:.1f}"
            )
    results.with_suffix(".md").write_text(table.markdown(json.loads(results.read_text())))


def _measure(
    path: Path, seed: int, overrides: tuple[str, ...], out: Path, rerun: bool
) -> dict[str, Any]:
    name = recipes.load(path, overrides)[0].name
    settings = [f"--set={one}" for one in (*overrides, f"train.seed={seed}")]
    command = [_rawbert(), "run", str(path), *settings, "--out", str(out)]
    folder = out / name
    if not (folder / _WATCHED).exists():
        if folder.exists():
            raise click.ClickException(f"{folder} holds a run that was cut off: delete it")
        folder.mkdir(parents=True)
        _run(command, folder / "first.log").save(folder / _WATCHED)
    found = _in_fresh_process("read", folder, name)
    if rerun:
        found["reruns"] = []
        for turn in ("second", "third"):
            _run(command, folder / f"{turn}.log").save(folder / f"{turn}.json")
            found["reruns"].append(_in_fresh_process("read_rerun", folder, name, f"{turn}.json"))
    return found | {"seed": seed, "date": date.today().isoformat()}


def _rawbert() -> str:
    return str(Path(sys.executable).with_name("rawbert"))


def _run(command: list[str], log: Path) -> Watched:
    watched = watch(command, log)
    if watched.returncode not in (0, 3):  # a model below its gate is a measurement, too
        raise click.ClickException(f"{' '.join(command)} exited {watched.returncode}; see {log}")
    return watched


def _in_fresh_process(what: str, folder: Path, name: str, samples: str = _WATCHED) -> dict:
    """Reads a run where TensorFlow and TFX may be imported, and their memory given back."""
    code = (
        "import json, sys; from pathlib import Path; import measured; from watch import Watched;"
        "what, folder, name, samples = sys.argv[1:]; folder = Path(folder);"
        "watched = Watched.load_from(folder / samples);"
        "found = measured.read(folder, name, watched) if what == 'read'"
        " else measured.read_rerun(folder, watched);"
        "print(json.dumps(found))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, what, str(folder), name, samples],
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parent)},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        check=True,
    )
    return json.loads(done.stdout.splitlines()[-1])


def _add(results: Path, found: dict[str, Any]) -> None:
    """Puts a run in place of an earlier one of the same recipe and seed."""
    known = json.loads(results.read_text()) if results.exists() else []
    key = (found["recipe"], found["seed"])
    known = [one for one in known if (one["recipe"], one["seed"]) != key]
    results.parent.mkdir(parents=True, exist_ok=True)
    runs = sorted([*known, found], key=lambda one: (one["recipe"], one["seed"]))
    results.write_text(json.dumps(runs, indent=1) + "\n")


if __name__ == "__main__":
    main()
