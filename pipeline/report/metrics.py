"""The gate's metric on the test split, by slice and by entity type, with intervals."""

from components.evaluation_results import METHODS, TITLES, EntityResult, Interval, SliceResult
from pipeline.page import plots
from pipeline.page.blocks import Block, Plot, Section, Table, Text
from pipeline.recipe import Gate

_DRAWN = 40


def section(gate: Gate, slices: list[SliceResult]) -> Section:
    """A plot and a table of the slices; for a tagger of the types, too."""
    metric, title = slices[0].metric, TITLES[slices[0].metric]
    rows = [(one.slice or "all", one.value, one.interval) for one in slices]
    bound = gate.bound.at_least if gate.metric == metric else None
    table = Table(
        ["slice", title, "95 % interval", "texts"],
        [
            [one.slice or "all", f"{one.value:.4f}", between(one.interval), f"{one.examples:,}"]
            for one in slices
        ],
    )
    method = Text(f"Intervals: {METHODS[metric]}.", "quiet")
    types = [block for one in slices[:1] for block in _types(one.entities)]
    blocks: list[Block] = [_plot("slices", rows, title, bound), table, *types, method]
    return Section("Metrics on the test split", blocks)


def _plot(
    name: str, rows: list[tuple[str, float, Interval | None]], title: str, bound: float | None
) -> Plot:
    drawn = [rows[0], *sorted(rows[1:], key=lambda row: row[1])[: _DRAWN - 1]]
    left = f", the {_DRAWN - 1} lowest of {len(rows) - 1:,}" if len(rows) > _DRAWN else ""
    said = f"{title} and its 95 % interval{left}"
    return Plot(plots.intervals(name, drawn, title, bound), said)


def _types(entities: tuple[EntityResult, ...]) -> list[Block]:
    if not entities:
        return []
    rows = [(one.type or "all", one.f1, one.interval) for one in entities]
    table = Table(
        ["entities", "precision", "recall", "F1", "95 % interval", "in the data", "found"],
        [
            [
                one.type or "all",
                *(f"{figure:.4f}" for figure in (one.precision, one.recall, one.f1)),
                between(one.interval),
                f"{one.gold:,}",
                f"{one.predicted:,}",
            ]
            for one in entities
        ],
        caption="Entities: same bytes and same type, or wrong",
    )
    return [_plot("types", rows, "F1", None), table]


def between(interval: Interval | None) -> str:
    """An interval in words."""
    return f"{interval[0]:.4f} – {interval[1]:.4f}" if interval else "not measured"
