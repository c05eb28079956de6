"""Shows a run as it goes: a line a component, a moving line where there is a terminal."""

from pathlib import Path
from typing import Any

from rich.console import Console
from rich.status import Status

from pipeline.runners.local import Stage

# Components in a few words; the ids are TFX's and ours.
_DOES = {
    "TextExampleGen": "read and split the texts",
    "StatisticsGen": "statistics of the columns",
    "SchemaGen": "schema from train",
    "ExampleValidator": "anomalies stop the run",
    "EncoderImporter": "encoder into the pipeline",
    "Transform": "text to ids, in the graph",
    "Trainer": "train, keep the best epoch, export",
    "LatestBlessed": "the model to beat",
    "Evaluator": "test split against the gate",
    "ServingValidator": "ops, hermetic load, raw strings over gRPC",
    "Pusher": "push if everything blessed it",
}


class ProgressView:
    """Listens to the runner and the trainer.

    Args:
        log: where the libraries' own words go; named once, at the top.
        console: by default standard output's.
    """

    def __init__(self, log: Path, console: Console | None = None) -> None:
        self._console = console or Console(highlight=False)
        self._status: Status | None = None
        self._log, self._stage, self._told_tenth = log, "", -1

    def __enter__(self) -> "ProgressView":
        self._console.print(f"log      {self._log}", soft_wrap=True)
        if self._console.is_terminal:
            self._status = self._console.status("")
            self._status.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._status:
            self._status.stop()

    def say(self, text: str) -> None:
        """A passing word."""
        if self._status:
            self._status.update(text)
        else:
            self._console.print(f"         {text}")

    def stage(self, how: str, stage: Stage) -> None:
        """A component starts, is finished or has failed."""
        does = _DOES.get(stage.name, "")
        if how == "started":
            self._stage, self._told_tenth = stage.name, -1
            if self._status:
                self._status.update(f"{stage.name}: {does}")
            return
        mark = {"finished": "[green]✓[/]", "failed": "[red]✗[/]"}[how]
        cost = f"{stage.seconds:7.1f} s {stage.peak_mb:6,.0f} MB" if not stage.cached else "cached"
        self._console.print(f"{mark} {stage.name:<17}{cost:>19}  {does}", soft_wrap=True)

    def training(self, event: str, values: dict[str, Any]) -> None:
        """A step, an epoch, a resumption, other workers that are waited for."""
        if event == "step":
            self._step(values)
        elif event == "epoch":
            train, on_eval = (values[f"{split}_{values['metric']}"] for split in ("train", "eval"))
            self._console.print(
                "  epoch {epoch}/{total}  loss {loss:.4f}".format(**values)
                + f"  train {train:.4f}  eval {on_eval:.4f}"
                + f"  {values['examples_per_s']:.0f} examples/s"
                + ("  best so far" if values["best"] else "")
            )
        elif event == "encoder":
            self._console.print(f"  encoder: {_weights(**values)}")
        elif event == "precision":
            self._console.print(f"  precision: {values['told']}")
        elif event == "waiting":
            line = "  waiting for all {workers} workers, {seconds:.0f} s at most"
            self._console.print(line.format(**values))
        elif event == "resumed":
            self._console.print(f"  resumed after epoch {values['after_epoch']}")

    def _step(self, values: dict[str, Any]) -> None:
        line = (
            "epoch {epoch}: step {done}/{total}  loss {loss:.4f}  {examples_per_s:.0f} examples/s"
        ).format(**values)
        tenth = 10 * values["done"] // values["total"]
        if self._status:
            self._status.update(f"Trainer: {line}")
        elif tenth != self._told_tenth and values["done"] < values["total"]:
            self._console.print(f"  {line}")
        self._told_tenth = tenth


def _weights(loaded: int, missing: list[str]) -> str:
    if not loaded:
        return "random weights, to be trained from scratch"
    return f"{loaded} weights loaded" + (f"; new: {', '.join(missing)}" if missing else "")
