"""The results as Markdown."""

from itertools import groupby
from statistics import mean
from typing import Any

Run = dict[str, Any]


def markdown(runs: list[Run]) -> str:
    """One table over recipes, one of stages per recipe's first seed, and the machine."""
    by_recipe = {name: list(group) for name, group in groupby(runs, key=lambda one: one["recipe"])}
    parts = ["# Recipes, measured", _machine(runs), _recipes(by_recipe)]
    for name, group in by_recipe.items():
        parts += [f"## Stages of {name}, seed {group[0]['seed']}", _stages(group[0])]
        parts += [line for line in [_reruns(group), group[0].get("note", "")] if line]
    return "\n\n".join(parts) + "\n"


def _rows(heads: list[str], rows: list[list[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _recipes(by_recipe: dict[str, list[Run]]) -> str:
    heads = [
        "recipe", "train / eval / test rows", "epochs, batch, rate", "seeds", "on test",
        "minutes", "examples/s in training", "load",
    ]  # fmt: skip
    return _rows(heads, [_recipe(name, group) for name, group in by_recipe.items()])


def _recipe(name: str, group: list[Run]) -> list[str]:
    first = group[0]
    train = first["train"]
    return [
        name,
        " / ".join(f"{first['rows'][split]:,}" for split in ("train", "eval", "test")),
        f"{train['epochs']}, {train['batch_size']}, {train['learning_rate']:g}",
        ", ".join(str(one["seed"]) for one in group),
        f"{first['metric']} " + _spread([one["test"] for one in group], "{:.4f}"),
        _spread([one["seconds"] / 60 for one in group], "{:.1f}"),
        _spread([one["examples_per_s"] for one in group], "{:.0f}"),
        _spread([one["load"]["mean"] for one in group], "{:.1f}"),
    ]


def _spread(values: list[float], form: str) -> str:
    shown = form.format(mean(values))
    if len(values) == 1:
        return shown
    return f"{shown} ({form.format(min(values))} to {form.format(max(values))})"


def _stages(run: Run) -> str:
    rows = [
        [one["name"], f"{one['seconds']:.1f}", f"{one['peak_mb']:,.0f}" if one["peak_mb"] else ""]
        for one in run["stages"]
    ]
    inside = sum(one["seconds"] for one in run["stages"])
    rows.append(["start, checks, report", f"{run['seconds'] - inside:.1f}", ""])
    rows.append(["**all**", f"{run['seconds']:.1f}", _peak(run)])
    return _rows(["component", "seconds", "peak memory, MB"], rows)


def _peak(run: Run) -> str:
    known = [one["peak_mb"] for one in run["stages"] if one["peak_mb"]]
    return f"{max(known):,.0f}" if known else ""


def _reruns(group: list[Run]) -> str:
    found: list[Run] = next((one["reruns"] for one in group if one.get("reruns")), [])
    return "\n".join(
        f"Run {turn}: {one['seconds']:.0f} s, executed again: "
        f"{', '.join(one['executed']) or 'nothing'} (load {one['load_mean']:.1f})."
        for turn, one in enumerate(found, 2)
    )


def _machine(runs: list[Run]) -> str:
    told = {str(run["machine"]): run["machine"] for run in runs}
    return "\n".join(
        f"{one['cpu']}, {one['cores']} cores ({', '.join(one['cpu_flags'])}), "
        f"{one['memory_gib']} GiB; Python {one['python']}, TensorFlow {one['tensorflow']}, "
        f"Keras {one['keras']}, TFX {one['tfx']}."
        for one in told.values()
    ) + (
        "\n`load` is the one-minute load average while it ran (the run itself is about the number"
        " of cores of it): where it is higher, others were at work and times are too long."
    )
