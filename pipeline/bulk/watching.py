"""How far a bulk run is, whoever works on it: seen in its folder, told by a thread."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from pipeline.bulk.work import Plan, Shard, Work

_EVERY_SECONDS = 1.0


@contextmanager
def watching(work: Work, plan: Plan, tell: Callable[[int, int], None]) -> Iterator[None]:
    """Calls `tell(rows done, rows)` about every second, and once at the end."""
    stop = threading.Event()

    def watch() -> None:
        finished: set[int] = set()
        while not stop.wait(_EVERY_SECONDS):
            tell(_rows(work, plan, finished), plan.rows)

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
        tell(_rows(work, plan, set()), plan.rows)


def _rows(work: Work, plan: Plan, finished: set[int]) -> int:
    """Rows of the finished shards, and what the others have so far."""
    rows = 0
    for shard in plan.shards:
        if shard.number in finished or work.is_done(shard):
            finished.add(shard.number)
            rows += shard.rows
        else:
            rows += _so_far(work, shard)
    return rows


def _so_far(work: Work, shard: Shard) -> int:
    try:
        return int(work.of(shard, "answered").read_text() or 0)
    except (FileNotFoundError, ValueError):
        return 0
