"""Puts the findings about a run together."""

from collections.abc import Callable, Iterator

from pipeline import outcome
from pipeline.inspection import copies, hardest, samples, words
from pipeline.inspection.subject import Subject
from pipeline.page.blocks import Page, Section, Text
from pipeline.report import data, lengths

Tell = Callable[[str, int, int], None]  # what, so many, of so many


def sections(subject: Subject, split: str, rows: int, ask: int, tell: Tell) -> Iterator[Section]:
    """One finding after the other.

    Args:
        split: whose texts are shown beside their pieces.
        rows: how many of them; 0 for none.
        ask: eval texts that the model is asked at most; 0 for none.
        tell: hears how far a finding is.
    """
    if rows:
        yield samples.section(subject, split, rows)
    yield lengths.section(outcome.lengths(subject.transformed), subject.max_tokens, subject.task)
    yield Section("Balance", data.balance(subject.report) or [Text("Nothing is labelled.")])
    yield words.section(subject)
    yield copies.section(subject, tell)
    if subject.model is None:
        yield Section("Hardest texts of eval", [Text("The run has no trained model yet.", "quiet")])
    elif ask:
        yield hardest.section(subject, subject.model, ask, tell)


def page(subject: Subject, found: list[Section]) -> Page:
    """The findings as a page."""
    rows = subject.report.rows
    return Page(
        title=f"{subject.name}: its texts",
        lead=f"What Transform made of the texts of {subject.name}, and what is odd about them.",
        tiles=[(split, f"{rows[split]:,}") for split in ("train", "eval", "test")]
        + [("max_tokens", f"{subject.max_tokens}")],
        sections=found,
    )
