"""`rawbert predict --bulk`: what a bulk run says while it goes and when it is done."""

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from trainer.errors import BadInput

if TYPE_CHECKING:
    from pipeline.bulk.run import Done

_EVERY_SECONDS = 15.0  # between lines where no terminal shows a moving one


def predict_bulk(source: Path, out: Path, model: Path, **settings: Any) -> None:
    """Runs it; see `pipeline.bulk.run.predict_bulk`."""
    from serving.quiet import quiet_tensorflow

    quiet_tensorflow()
    from pipeline.bulk import run
    from serving.errors import NotAModel

    started = time.monotonic()
    progress = BulkProgress()
    try:
        done = run.predict_bulk(source, out, model, tell=progress, **settings)
    except NotAModel as error:
        raise BadInput(str(error), where="--model") from error
    except KeyboardInterrupt:
        click.echo("\nGive the same command again to go on from here.", err=True)
        raise
    finally:
        progress.clear()
    _report(done, time.monotonic() - started)


class BulkProgress:
    """A moving line on a terminal, a line now and then elsewhere."""

    def __init__(self) -> None:
        self._start = time.monotonic()
        self._moves = sys.stderr.isatty()
        self._due = self._start + (0 if self._moves else _EVERY_SECONDS)
        self._before: int | None = None

    def __call__(self, done: int, rows: int) -> None:
        """Called with the rows that are done, and all there are."""
        now = time.monotonic()
        if self._before is None:
            self._before, self._start = done, now
        if now < self._due:
            return
        self._due = now + (0 if self._moves else _EVERY_SECONDS)
        said = _said(done, rows, (done - self._before) / max(now - self._start, 1e-9))
        click.echo(f"\r\033[K{said}" if self._moves else said, err=True, nl=not self._moves)

    def clear(self) -> None:
        """Takes the moving line away."""
        if self._moves:
            click.echo("\r\033[K", err=True, nl=False)


def _said(done: int, rows: int, rate: float) -> str:
    left = f", {(rows - done) / rate / 60:,.0f} min left" if rate > 0 and done < rows else ""
    return f"{done:,} of {rows:,} rows, {rate:,.0f} a second{left}"


def _report(done: "Done", seconds: float) -> None:
    now = done.rows + done.rejected - done.before
    resumed = f"; {done.before:,} were done before" if done.before else ""
    click.echo(
        f"{done.rows:,} rows answered in {seconds:.0f} s ({now / seconds:,.0f} a second){resumed}"
    )
    for file in done.files:
        click.echo(f"  {file}")
    if done.rejects:
        click.echo(f"{done.rejected:,} rows rejected; which and why: {done.rejects}", err=True)
