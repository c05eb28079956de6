"""Many texts in batches: a few under way at once, answers in order, memory bounded."""

import asyncio
import itertools
from collections import deque
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

Text = str | bytes
Batch = list[Text]
Rows = list[dict[str, Any]]
Progress = Callable[[int], None]

BATCH_SIZE = 32
IN_FLIGHT = 4


class BatchFailed(RuntimeError):
    """A batch of a stream got no answer; those before it did.

    Attributes:
        first, last: numbers of its texts in the stream, counted from 0, `last` included.
        texts: the batch itself.
        cause: what was raised: ServingError, Unreachable or, for what is no text, TypeError.
    """

    def __init__(self, first: int, texts: Batch, cause: Exception) -> None:
        self.first, self.last = first, first + len(texts) - 1
        self.texts, self.cause = texts, cause
        of = f"text {first + 1}" if len(texts) == 1 else f"texts {first + 1} to {self.last + 1}"
        super().__init__(f"{of}: {cause}")


def in_order(
    predict: Callable[[Batch], Rows],
    texts: Iterable[Text],
    *,
    batch_size: int = BATCH_SIZE,
    in_flight: int = IN_FLIGHT,
    progress: Progress | None = None,
) -> Iterator[dict[str, Any]]:
    """Yields the row of each text; reads `in_flight` batches ahead of what was yielded, no more.

    Args:
        predict: asks about one batch; called from `in_flight` threads.
        texts: read in the caller's thread as they are needed.
        batch_size: texts a request.
        in_flight: batches under way at once, at least 1; with 1 a batch is read only after the
            one before it was answered and yielded, as for input that somebody types.
        progress: called with the number of texts answered, after each batch.

    Raises:
        BatchFailed: a batch was refused; it says which.
    """
    _check(batch_size, in_flight)
    waiting: deque[tuple[Batch, Any]] = deque()
    count = _Count(progress)
    pool = ThreadPoolExecutor(in_flight, thread_name_prefix="predict")
    try:
        for batch in _batches(texts, batch_size):
            waiting.append((batch, pool.submit(predict, batch)))
            if len(waiting) == in_flight:
                yield from count.answered(*_result(waiting, count))
        while waiting:
            yield from count.answered(*_result(waiting, count))
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


async def in_order_async(
    predict: Callable[[Batch], Awaitable[Rows]],
    texts: Iterable[Text] | AsyncIterable[Text],
    *,
    batch_size: int = BATCH_SIZE,
    in_flight: int = IN_FLIGHT,
    progress: Progress | None = None,
) -> AsyncIterator[dict[str, Any]]:
    """As `in_order`, for an event loop; `texts` may be an async iterable, too."""
    _check(batch_size, in_flight)
    waiting: deque[tuple[Batch, asyncio.Future[Rows]]] = deque()
    count = _Count(progress)
    try:
        async for batch in _batches_async(texts, batch_size):
            waiting.append((batch, asyncio.ensure_future(predict(batch))))
            if len(waiting) == in_flight:
                for row in count.answered(*await _result_async(waiting, count)):
                    yield row
        while waiting:
            for row in count.answered(*await _result_async(waiting, count)):
                yield row
    finally:
        for _, task in waiting:
            task.cancel()
        await asyncio.gather(*(task for _, task in waiting), return_exceptions=True)


class _Count:
    """How many texts were answered."""

    def __init__(self, progress: Progress | None) -> None:
        self.texts, self._progress = 0, progress

    def answered(self, batch: Batch, rows: Rows) -> Iterator[dict[str, Any]]:
        yield from rows
        self.texts += len(batch)
        if self._progress:
            self._progress(self.texts)


def _result(waiting: deque[tuple[Batch, Any]], count: _Count) -> tuple[Batch, Rows]:
    batch, future = waiting.popleft()
    try:
        return batch, future.result()
    except Exception as error:
        raise BatchFailed(count.texts, batch, error) from error


async def _result_async(
    waiting: deque[tuple[Batch, asyncio.Future[Rows]]], count: _Count
) -> tuple[Batch, Rows]:
    batch, task = waiting.popleft()
    try:
        return batch, await task
    except Exception as error:
        raise BatchFailed(count.texts, batch, error) from error


def _batches(texts: Iterable[Text], size: int) -> Iterator[Batch]:
    if isinstance(texts, str | bytes):
        raise TypeError(f"texts is a single {type(texts).__name__}; give an iterable of texts")
    source = iter(texts)
    while batch := list(itertools.islice(source, size)):
        yield batch


async def _batches_async(
    texts: Iterable[Text] | AsyncIterable[Text], size: int
) -> AsyncIterator[Batch]:
    if not isinstance(texts, AsyncIterable):
        for batch in _batches(texts, size):
            yield batch
        return
    batch = []
    async for text in texts:
        batch.append(text)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch


def _check(batch_size: int, in_flight: int) -> None:
    if batch_size < 1 or in_flight < 1:
        raise ValueError(f"batch_size {batch_size} and in_flight {in_flight}: at least 1 each")
