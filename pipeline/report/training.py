"""The epochs: loss and metric, on train and eval."""

from typing import Any

from components.evaluation_results import TITLES
from pipeline.page import plots
from pipeline.page.blocks import Block, Cell, Plot, Row, Section, Table, Text


def section(history: list[dict[str, Any]]) -> Section:
    """Curves where there are two epochs or more, and a table."""
    metric = history[0].get("metric", "accuracy")  # runs of old have no name
    title = TITLES.get(metric, metric)
    best = [epoch["epoch"] for epoch in history if epoch["best"]][-1]
    blocks: list[Block] = []
    if len(history) > 1:
        numbers = [epoch["epoch"] for epoch in history]
        for name, keys, label in (
            ("loss", ("loss", "eval_loss"), "loss"),
            ("metric", (f"train_{metric}", f"eval_{metric}"), title),
        ):
            lines = {
                split: [epoch[key] for epoch in history]
                for split, key in zip(("train", "eval"), keys, strict=True)
            }
            said = f"{label} by epoch, on train (while it learned) and eval"
            blocks.append(Plot(plots.curves(f"curve-{name}", numbers, lines, label), said))
    blocks.append(_table(history, metric, title, best))
    blocks.append(Text(f"Epoch {best} was best on eval; its weights were kept.", "quiet"))
    return Section("Training", blocks)


def _table(history: list[dict[str, Any]], metric: str, title: str, best: int) -> Table:
    rows: list[Row] = [
        [
            f"{epoch['epoch']}",
            Cell("kept", "good") if epoch["epoch"] == best else Cell(""),
            f"{epoch['loss']:.4f}",
            f"{epoch['eval_loss']:.4f}",
            f"{epoch[f'train_{metric}']:.4f}",
            f"{epoch[f'eval_{metric}']:.4f}",
            f"{epoch['examples_per_s']:,.0f}",
            f"{epoch['seconds']:,.0f}",
        ]
        for epoch in history
    ]
    losses = ["loss", "eval loss", f"train {title}", f"eval {title}"]
    return Table(["epoch", "", *losses, "examples/s", "seconds"], rows, texts=2)
