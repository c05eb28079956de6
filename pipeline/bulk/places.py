"""Where in a file its rows begin, found in one pass, so that a shard is reached by a seek."""

from collections import deque
from collections.abc import Iterator
from typing import NamedTuple


class Place(NamedTuple):
    """Where a row begins.

    Attributes:
        row: rows of the file before it.
        offset: bytes of the (unpacked) file before it.
        line: its line, from 1.
    """

    row: int
    offset: int
    line: int


class placed(Iterator[tuple[int, bytes]]):  # noqa: N801 - reads as the lines it gives
    """Numbered lines as they are, while it remembers where the latest of them begin.

    Args:
        lines: of a whole file.
        offset: bytes before the first one.
    """

    def __init__(self, lines: Iterator[tuple[int, bytes]], offset: int) -> None:
        self._lines, self._offset = lines, offset
        self._begins: deque[tuple[int, int]] = deque()  # (line, offset)

    def __next__(self) -> tuple[int, bytes]:
        number, raw = next(self._lines)
        self._begins.append((number, self._offset))
        self._offset += len(raw)
        return number, raw

    def starts(self, rows: Iterator[int], every: int) -> Iterator[Place]:
        """The places of every `every`-th row, and one behind the last row.

        Args:
            rows: the line where each row begins, drawn from these lines.
            every: rows a shard.
        """
        row = -1
        for row, line in enumerate(rows):
            while self._begins[0][0] < line:
                self._begins.popleft()
            if row % every == 0:
                yield Place(row, self._begins[0][1], line)
        yield Place(row + 1, self._offset, 0)
