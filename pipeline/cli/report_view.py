"""The short report at the end of a run."""

from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape

from components.data_report import DataReport
from pipeline import run_folder
from pipeline.cli import gate_view
from pipeline.cli.entity_text import is_tagged, marked
from pipeline.outcome import Lengths, Outcome, binned, oddities
from pipeline.recipe import Recipe
from pipeline.run_record import Component
from pipeline.runners.local import Stage

_console = Console(highlight=False, soft_wrap=True)
_BAR = 40


def show(recipe: Recipe, outcome: Outcome, stages: list[Stage], run: dict[str, Component]) -> None:
    """Prints what the run found: data, lengths, epochs, gate, serving checks, push."""
    _data(outcome)
    if outcome.lengths:
        show_lengths(outcome.lengths, recipe.max_tokens, recipe.task)
    _epochs(outcome)
    gate_view.show(recipe.gate, outcome, _console)
    _serving(recipe, outcome)
    cached = sum(component.state == "cached" for component in run.values())
    _head("run")
    _console.print(
        f"  {len(run)} components, {cached} cached,"
        f" {sum(stage.seconds for stage in stages):.0f} s,"
        f" at most {max((stage.peak_mb for stage in stages), default=0):,.0f} MB"
    )


def show_answers(model: Path, name: str, texts: tuple[str, ...]) -> None:
    """Serves the pushed model for a moment and asks it over gRPC."""
    from serving.client import Client
    from serving.server.process import spawn

    _head("asked over gRPC")
    with spawn(model, name=name) as server, Client(server.target, name=name) as client:
        for text, row in zip(texts, client.predict(list(texts)), strict=True):
            said = marked(text, row) if is_tagged(row) else _labelled(text, row)
            _console.print(f"  {escape(said)}")


def _labelled(text: str, row: dict[str, Any]) -> str:
    return f"{row['label']:<10} {row['score']:.3f}  {text}"


def show_next(
    recipe: Recipe, outcome: Outcome, path: Path, log: Path, report: Path | None = None
) -> None:
    """Prints where the model is, or why it is not, where the report is, and what to do next."""
    if outcome.pushed_to is None:
        _console.print("\n[bold red]REFUSED[/]: nothing was pushed.")
        for reason in outcome.refusals():
            _console.print(f"  {escape(reason)}")
        _show_report(report)
        _console.print(f"next     mend the data or the recipe ({path}), run again; log: {log}")
        return
    base = _short(outcome.pushed_to.parent)
    _console.print(f"\n[bold green]PUSHED[/]   {_short(outcome.pushed_to)}")
    _show_report(report)
    _console.print(f"next     rawbert serve {base}")
    _console.print('         rawbert predict "Any text at all."')
    _console.print(f"         rawbert inspect {_short(run_folder.of_version(outcome.pushed_to))}")


def _show_report(report: Path | None) -> None:
    if report:
        _console.print(f"report   {_short(report)}")


def _short(path: Path) -> str:
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)


def _head(title: str) -> None:
    _console.print(f"\n[bold]{title}[/]")


def _data(outcome: Outcome) -> None:
    report = outcome.data
    if report is None:
        return
    _head("data")
    splits = "  ".join(f"{split} {rows:,}" for split, rows in sorted(report.rows.items()))
    _console.print(f"  rows: {splits}  (of {report.read:,} read)")
    for what, number in oddities(report, outcome.misaligned).items():
        _console.print(f"  {number:,} {what}")
    _entities(report)
    for row in report.bad[:5]:
        _console.print(f"    {escape(str(row.file))}:{row.line}: {escape(row.reason)}")


def _entities(report: DataReport) -> None:
    """Entities by type, the most frequent in train first, one line a split."""
    for split, counts in sorted(report.entities.items()):
        types = "  ".join(f"{escape(kind)} {n:,}" for kind, n in counts.most_common())
        _console.print(f"  entities in {split}: {types or 'none'}")


def show_lengths(lengths: Lengths, max_tokens: int, task: str) -> None:
    """Prints the histogram and what truncation cost, or how many texts are cut to windows."""
    _head("lengths in pieces, [CLS] and [SEP] counted")
    bins = binned(lengths.counts)
    most = max(bins.values())
    for upper, texts in bins.items():
        bar = "█" * max(texts > 0, round(_BAR * texts / most))
        _console.print(f"  ≤ {upper:>4} {texts:>8,}  {bar}")
    if task == "tag":
        longer = sum(n for length, n in lengths.counts.items() if length > max_tokens)
        _console.print(
            f"  {longer:,} texts are read in windows of {max_tokens}; nothing is cut off"
        )
        return
    share = lengths.truncated / max(1, lengths.counts.total())
    _console.print(
        f"  {lengths.truncated:,} texts ({share:.2%}) lost {lengths.dropped:,} pieces to"
        f" max_tokens {max_tokens}"
    )


def _epochs(outcome: Outcome) -> None:
    if not outcome.history:
        return
    _head("training")
    best = [epoch for epoch in outcome.history if epoch["best"]][-1]
    for epoch in outcome.history:
        kept = "  ◀ kept" if epoch is best else ""
        train, on_eval = (epoch[f"{split}_{epoch['metric']}"] for split in ("train", "eval"))
        _console.print(
            f"  epoch {epoch['epoch']}  loss {epoch['loss']:.4f}  train {train:.4f}"
            f"  eval {on_eval:.4f}  {epoch['seconds']:.0f} s{kept}"
        )


def _serving(recipe: Recipe, outcome: Outcome) -> None:
    report = outcome.serving
    if report is None:
        return
    _head(f"serving checks for TensorFlow Serving {recipe.serve.tf_serving}")
    _console.print("  " + "  ".join(f"{check} {n:,}" for check, n in report.checks.items()))
    if report.latency:
        _console.print(
            f"  one raw text over gRPC: p50 {report.latency.p50_ms:.1f} ms,"
            f" p99 {report.latency.p99_ms:.1f} ms ({report.latency.requests} requests)"
        )
    for finding in report.findings:
        _console.print(f"  [red]✗[/] {escape(str(finding))}")
