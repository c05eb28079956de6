"""Streams of texts: order, bounded memory, bounded concurrency, and which batch failed."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from fault_gate import Gate, gate_before

from serving.async_client import AsyncClient
from serving.client import Client
from serving.errors import Code, ServingError
from serving.stream import BatchFailed


@pytest.fixture
def gate(server: Any) -> Iterator[tuple[str, Gate]]:
    with gate_before(server.target) as opened:
        yield opened


def many(kind: str, target: str, texts: Any, stop: int | None = None, **options: Any) -> list[Any]:
    """The rows, or the first few, through either client."""
    if kind == "sync":
        with Client(target, name="tiny", retries=0) as client:
            return list(itertools.islice(client.predict_many(texts, **options), stop))

    async def asked() -> list[Any]:
        async with AsyncClient(target, name="tiny", retries=0) as client:
            rows = []
            async for row in client.predict_many(texts, **options):
                rows.append(row)
                if len(rows) == stop:
                    break
            return rows

    return asyncio.run(asked())


both = pytest.mark.parametrize("kind", ["sync", "async"])


@both
@pytest.mark.parametrize(
    ("count", "batch_size", "in_flight"),
    [(0, 4, 2), (1, 4, 2), (8, 4, 2), (37, 4, 3), (37, 1, 4), (5, 100, 4), (37, 4, 1)],
    ids=["none", "one", "whole batches", "a rest", "one by one", "one batch", "one at a time"],
)
def test_rows_come_in_order(
    gate: tuple[str, Gate], kind: str, count: int, batch_size: int, in_flight: int
) -> None:
    target, door = gate
    texts = ["film " * (number % 7) + "!" * number for number in range(count)]
    told: list[int] = []
    rows = many(
        kind, target, iter(texts), signature="raw",
        batch_size=batch_size, in_flight=in_flight, progress=told.append,
    )  # fmt: skip
    assert [row["same"] for row in rows] == texts
    batches = -(-count // batch_size)
    assert told == [min(count, (number + 1) * batch_size) for number in range(batches)]
    assert (door.calls, door.most_at_once <= in_flight) == (batches, True)


@both
def test_an_endless_input_is_read_only_as_far_as_it_is_under_way(
    gate: tuple[str, Gate], kind: str
) -> None:
    target, door = gate
    door.delay = 0.02
    read: list[int] = []

    def endless() -> Iterator[str]:
        for number in itertools.count():
            read.append(number)
            yield str(number)

    rows = many(kind, target, endless(), 20, signature="raw", batch_size=4, in_flight=3)
    assert [row["same"] for row in rows] == [str(number) for number in range(20)]
    # Five batches were yielded; two more were under way and the third's place was just freed.
    assert len(read) == 4 * (5 + 2)
    assert door.most_at_once <= 3


@both
def test_batches_are_under_way_together(gate: tuple[str, Gate], kind: str) -> None:
    target, door = gate
    door.delay = 0.2
    many(kind, target, ["a"] * 8, batch_size=1, in_flight=4)
    assert 2 <= door.most_at_once <= 4


def test_an_async_source(server: Any) -> None:
    async def source() -> AsyncIterator[str]:
        for number in range(10):
            await asyncio.sleep(0)
            yield str(number)

    rows = many("async", server.target, source(), signature="raw", batch_size=4)
    assert [row["same"] for row in rows] == [str(number) for number in range(10)]


@both
def test_a_refusal_names_its_texts(gate: tuple[str, Gate], kind: str) -> None:
    import grpc

    target, door = gate
    door.refusals = [grpc.StatusCode.INTERNAL]
    with pytest.raises(BatchFailed, match="texts 1 to 4: INTERNAL: not now") as caught:
        many(kind, target, list("abcdefghij"), batch_size=4, in_flight=1)
    failed = caught.value
    assert (failed.first, failed.last, failed.texts) == (0, 3, ["a", "b", "c", "d"])
    assert isinstance(failed.cause, ServingError)
    assert failed.cause.code is Code.INTERNAL


@both
def test_what_is_no_text_is_named_after_what_came_before_it(server: Any, kind: str) -> None:
    seen: list[int] = []
    with pytest.raises(BatchFailed, match=r"texts 5 to 8: text\[2\] is None, a NoneType"):
        texts = ["a"] * 6 + [None] + ["b"] * 9
        many(kind, server.target, texts, batch_size=4, progress=seen.append)
    assert seen == [4]
    with pytest.raises(TypeError, match="single str"):
        many(kind, server.target, "one text")


@both
@pytest.mark.parametrize("wrong", [{"batch_size": 0}, {"in_flight": 0}], ids=str)
def test_wrong_sizes(server: Any, kind: str, wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="at least 1 each"):
        many(kind, server.target, ["a"], **wrong)
