"""The gate's part of the report: the metric by slice, and a tagger's entities by type."""

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from components.evaluation_results import TITLES
from pipeline.outcome import EntityResult, Outcome, SliceResult
from pipeline.recipe import Gate


def show(gate: Gate, outcome: Outcome, console: Console) -> None:
    """Prints what the model reached on the test split and which bounds it met."""
    if not outcome.slices:
        return
    title, bound = TITLES[gate.metric], gate.bound
    console.print(
        f"\n[bold]gate on the test split: {title} ≥ {bound.at_least}, may drop {bound.may_drop}[/]"
    )
    console.print(_slices(gate, outcome.slices, title))
    for one in outcome.slices:
        if one.entities and not one.slice:
            console.print(_types(one.entities))
    console.print(f"  {outcome.baseline}")


def _slices(gate: Gate, slices: list[SliceResult], title: str) -> Table:
    bounds = gate.slice_bounds()
    table = _table("", "slice", title, "texts", "")
    for one in slices:
        column = one.slice.split(":")[0]
        binds = not one.slice or bounds.get(column) is not None
        mark = "[red]✗[/]" if one.failures else "[green]✓[/]" if binds else " "
        note = "binds" if binds and one.slice else "" if binds else "reported"
        table.add_row(
            mark,
            escape(one.slice) or "all",
            f"{one.value:.4f}",
            f"{one.examples:,}",
            escape("; ".join(one.failures)) or note,
        )
    return table


def _types(entities: tuple[EntityResult, ...]) -> Table:
    table = _table("", "entities", "precision", "recall", "F1", "in the data", "found")
    for one in entities:
        figures = [f"{figure:.4f}" for figure in (one.precision, one.recall, one.f1)]
        counts = [f"{count:,}" for count in (one.gold, one.predicted)]
        table.add_row(" ", escape(one.type) or "all", *figures, *counts)
    return table


def _table(*headings: str) -> Table:
    table = Table(box=None, padding=(0, 2), header_style="")
    for heading in headings:
        left = heading in ("", "slice", "entities")
        table.add_column(heading, justify="left" if left else "right")
    return table
