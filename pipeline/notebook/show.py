"""What a cell shows: sections of pages, as HTML in a browser and as lines everywhere else."""

import html as escapes
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from rich.console import Console

from pipeline import spans
from pipeline.page import html, terminal
from pipeline.page.blocks import Block, Marked, Section, Table, Text
from serving.results import Entity, Label
from trainer.errors import BadInput

if TYPE_CHECKING:
    from pipeline.notebook.components import Session

T = TypeVar("T")


@dataclass(frozen=True, repr=False)
class View:
    """A section as a cell's output."""

    section: Section

    def _repr_html_(self) -> str:
        return html.fragment(self.section)

    def __repr__(self) -> str:
        lines = io.StringIO()
        console = Console(file=lines, width=110, force_jupyter=False, force_terminal=False)
        terminal.show([self.section], console)
        return lines.getvalue().rstrip()


@dataclass(frozen=True)
class Framed:
    """An HTML file in a frame of its own, so that its style stays its own."""

    path: Path
    height: int = 640

    def _repr_html_(self) -> str:
        source = escapes.escape(self.path.read_text(encoding="utf-8"))
        style = f"width: 100%; height: {self.height}px; border: 1px solid rgba(127, 127, 127, .4)"
        return f'<iframe title="{self.path.name}" style="{style}" srcdoc="{source}"></iframe>'


def columns(path: str | Path) -> View:
    """The columns of a file."""
    from pipeline.notebook import propose

    return View(propose.section(propose.look(path)))


def data(run: "Session") -> View:
    """Rows by split and label, and what is odd about them."""
    from pipeline.report import data

    found = _had(run.outcome.data, "TextExampleGen")
    return View(data.section(found))


def statistics(run: "Session") -> View:
    """StatisticsGen's figures."""
    from pipeline.notebook import statistics

    _had("StatisticsGen" in run.record, "StatisticsGen")
    return View(statistics.section(run.record["StatisticsGen"].folder("statistics")))


def decoded(run: "Session", split: str = "train", rows: int = 4) -> View:
    """The first of Transform's records: pieces, ids and type ids beside the text."""
    from pipeline.notebook import decoded

    return View(decoded.section(run.subject, split, rows))


def lengths(run: "Session") -> View:
    """How long the texts are, and what each max_tokens would cut."""
    from pipeline.report import lengths

    found = _had(run.outcome.lengths, "Transform")
    return View(lengths.section(found, run.recipe.max_tokens, run.recipe.task))


def training(run: "Session") -> View:
    """Loss and metric by epoch."""
    from pipeline.report import training

    return View(training.section(_had(run.outcome.history, "Trainer")))


def metrics(run: "Session") -> View:
    """The gate's metric on the test split and its slices, with intervals."""
    from pipeline.report import metrics

    return View(metrics.section(run.recipe.gate, _had(run.outcome.slices, "Evaluator")))


def confusion(run: "Session") -> View:
    """Which labels are taken for which."""
    from pipeline.report import confusion

    return View(confusion.section(_had(run.outcome.confusion, "Evaluator"), run.subject.names))


def gates(run: "Session") -> View:
    """What was asked of the model before it is pushed, and what it gave."""
    from pipeline.report import gates

    found = run.outcome
    _had(found.slices or found.serving, "Evaluator")
    return View(gates.section(run.recipe, found))


def gold(run: "Session", split: str = "train", rows: int = 5) -> View:
    """The first texts of a split with the entities that the data has."""
    from pipeline.notebook import gold

    _had("TextExampleGen" in run.record, "TextExampleGen")
    folder = run.record["TextExampleGen"].folder("examples")
    return View(gold.section(folder, split, run.recipe.data.text, rows))


def labels(texts: Sequence[str], answers: Sequence[Label]) -> View:
    """Texts with the label that a model gives each."""
    rows = [
        [one.label, text, f"{one.score:.4f}", f"{one.dropped_tokens}"]
        for text, one in zip(texts, answers, strict=True)
    ]
    return View(Section("Answers", [Table(["label", "text", "score", "cut off"], rows, texts=2)]))


def entities(texts: Sequence[str], answers: Sequence[Sequence[Entity]]) -> View:
    """Texts with the entities that a model finds marked in them."""
    blocks: list[Block] = [
        Marked([*spans.parts(text, [(one.char_start, one.char_end, one.type) for one in found])])
        for text, found in zip(texts, answers, strict=True)
    ]
    return View(Section("Answers", blocks or [Text("No texts.", "quiet")]))


def page(path: str | Path, height: int = 640) -> Framed:
    """A page such as `report.html`.

    Raises:
        BadInput: there is none.
    """
    if not Path(path).is_file():
        raise BadInput("there is no such page.", where=str(path), fix="Run the cell that makes it.")
    return Framed(Path(path), height)


def _had(found: T | None, name: str) -> T:
    """What a component left."""
    if not found:
        raise BadInput(f"{name} has not run.", fix=f'Run it first: run("{name}").')
    return found
