"""Progress of what takes seconds: a bar on a terminal, a line now and then in a pipe."""

import contextlib
import sys
import time
from collections.abc import Callable, Iterator

# Told (name, bytes so far, bytes in all or 0 where unknown).
Progress = Callable[[str, int, int], None]

_PATIENCE = 2.0  # seconds that may pass without a word
_EVERY = 10.0  # seconds between two lines in a pipe


def silent(name: str, done: int, total: int) -> None:
    """Says nothing."""


@contextlib.contextmanager
def shown() -> Iterator[Progress]:
    """Progress on standard error, in the way that suits it."""
    if sys.stderr.isatty():
        with _bar() as progress:
            yield progress
    else:
        yield _Lines()


@contextlib.contextmanager
def _bar() -> Iterator[Progress]:
    from rich import progress as rich_progress
    from rich.console import Console

    columns = (
        rich_progress.TextColumn("{task.description}"),
        rich_progress.BarColumn(),
        rich_progress.DownloadColumn(),
        rich_progress.TransferSpeedColumn(),
        rich_progress.TimeRemainingColumn(),
    )
    with rich_progress.Progress(*columns, console=Console(stderr=True), transient=True) as bars:
        tasks: dict[str, rich_progress.TaskID] = {}

        def update(name: str, done: int, total: int) -> None:
            if name not in tasks:
                tasks[name] = bars.add_task(name, total=total or None)
            bars.update(tasks[name], completed=done)

        yield update


class _Lines:
    """`model.whl: 41 of 84 MB`, at most every ten seconds, nothing for quick ones."""

    def __init__(self) -> None:
        self.next = time.monotonic() + _PATIENCE

    def __call__(self, name: str, done: int, total: int) -> None:
        if time.monotonic() >= self.next:
            self.next = time.monotonic() + _EVERY
            of_all = f" of {total / 1e6:.0f}" if total else ""
            print(f"{name}: {done / 1e6:.0f}{of_all} MB", file=sys.stderr, flush=True)
