"""Puts a run's sections together: `report.html` in its folder."""

import time
from pathlib import Path
from typing import Any

from tfx.utils import path_utils

from components import model_card
from components.evaluation_results import TITLES
from pipeline import card, run_folder
from pipeline.page import html
from pipeline.page.blocks import Block, Cell, Document, Page, Section, Text
from pipeline.report import (
    confusion,
    data,
    gates,
    lengths,
    lineage,
    metrics,
    serve,
    steps,
    training,
)
from pipeline.report.run import Run
from trainer.card import read_card


def write(run: Run) -> Path:
    """Writes the report; gives its path."""
    return html.write(page(run), run_folder.report(run.folder))


def page(run: Run) -> Page:
    """All sections that there is something to say in."""
    result, recipe, model = run.outcome, run.recipe, _model(run)
    sections: list[Section] = []
    if run.stopped:
        sections.append(Section("Why it stopped", [Text(run.stopped, "bad")]))
    elif result.pushed_to is None:
        why = [Text(reason, "bad") for reason in result.refusals()]
        sections.append(Section("Why nothing was pushed", why))
    if result.data:
        sections.append(data.section(result.data, result.misaligned))
    if result.lengths:
        sections.append(lengths.section(result.lengths, recipe.max_tokens, recipe.task))
    if result.history:
        sections.append(training.section(result.history))
    if result.slices:
        sections.append(metrics.section(recipe.gate, result.slices))
    if result.confusion and model:
        sections.append(confusion.section(result.confusion, model["labels"]))
    if result.slices or result.serving:
        sections.append(gates.section(recipe, result))
    if result.pushed_to:
        sections.append(serve.section(recipe, result.pushed_to, run.folder))
    sections.append(lineage.section(run))
    if model and result.data:
        sections.append(Section("Model card", _card(run, model)))
    sections.append(steps.section(run.components, run.stages, run.folder))
    return Page(
        title=recipe.name,
        verdict=_verdict(run),
        lead=f"A run of {run.path}, {time.strftime('%Y-%m-%d %H:%M %Z')}.",
        tiles=_tiles(run),
        sections=sections,
    )


def _verdict(run: Run) -> Cell:
    if run.stopped:
        return Cell("stopped", "bad")
    return Cell("pushed", "good") if run.outcome.pushed_to else Cell("refused", "bad")


def _tiles(run: Run) -> list[tuple[str, str]]:
    result = run.outcome
    tiles = [("rows", f"{result.data.rows.total():,}")] if result.data else []
    if result.slices:
        whole = result.slices[0]
        tiles.append((f"{TITLES[whole.metric]} on test", f"{whole.value:.4f}"))
        tiles.append(("95 % interval", metrics.between(whole.interval)))
    if result.serving and result.serving.latency:
        tiles.append(("one text, p50", f"{result.serving.latency.p50_ms:.1f} ms"))
    if run.stages:
        tiles.append(("minutes", f"{sum(stage.seconds for stage in run.stages) / 60:.1f}"))
    return tiles


def _model(run: Run) -> dict[str, Any]:
    """What the exported model says of itself; empty where none was exported."""
    trained = run.components.get("Trainer")
    if trained is None or not trained.outputs.get("model"):
        return {}
    return read_card(path_utils.serving_model_path(str(trained.folder("model"))))


def _card(run: Run, model: dict[str, Any]) -> list[Block]:
    """The pushed model's own card; of one that was refused, the card that it would have."""
    result = run.outcome
    pushed = result.pushed_to / model_card.FILE if result.pushed_to else None
    if pushed and pushed.is_file():
        return [Document(pushed.read_text(encoding="utf-8"))]
    assert result.data is not None
    told = card.told(run.recipe, run.inputs).with_encoder(lineage.encoder_digest(run))
    written = model_card.markdown(told, model, result.data, result.slices, result.serving)
    blocks: list[Block] = [Document(written)]
    if pushed is None:
        blocks.insert(0, Text("Not pushed: the card that it would have.", "quiet"))
    return blocks
