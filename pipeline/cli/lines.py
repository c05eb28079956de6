"""Lines of files as they come, and how far they have been read."""

import os
import stat
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from typing import BinaryIO

_AFTER_SECONDS = 3.0
_EVERY_SECONDS = 0.5


class Lines:
    """The lines of some files, one at a time, as bytes without their ends.

    Attributes:
        read: bytes read so far.
        size: bytes of all files together; None if one of them is a pipe or a terminal.
    """

    def __init__(self, files: Sequence[BinaryIO]) -> None:
        self._files, self.read = files, 0
        sizes = [_size(file) for file in files]
        self.size = None if None in sizes else sum(size for size in sizes if size)

    def __iter__(self) -> Iterator[bytes]:
        for file in self._files:
            for line in file:
                self.read += len(line)
                yield line.removesuffix(b"\n").removesuffix(b"\r")


class Progress:
    """A line on a terminal's standard error that says how far it is, if it takes more than seconds.

    Not where the answers go to the terminal, too: they show it themselves.
    """

    def __init__(self, lines: Lines, clock: Callable[[], float] = time.monotonic) -> None:
        self._lines, self._clock = lines, clock
        self._start = clock()
        self._due = self._start + _AFTER_SECONDS
        self._shows = sys.stderr.isatty() and not sys.stdout.isatty()
        self._written = False

    def __call__(self, texts: int) -> None:
        """Called with the number of texts answered."""
        now = self._clock()
        if self._shows and now >= self._due:
            self._due = now + _EVERY_SECONDS
            self._written = True
            sys.stderr.write(f"\r\033[K{self._said(texts, now - self._start)}")
            sys.stderr.flush()

    def clear(self) -> None:
        """Takes the line away."""
        if self._written:
            sys.stderr.write("\r\033[K")
            sys.stderr.flush()

    def _said(self, texts: int, seconds: float) -> str:
        said = f"{texts:,} texts, {texts / seconds:,.0f} a second"
        if not self._lines.size:
            return said
        return f"{said}, {100 * self._lines.read // self._lines.size} % read"


def _size(file: BinaryIO) -> int | None:
    try:
        status = os.fstat(file.fileno())
    except OSError:  # no file of the system's, as in a test
        return None
    return status.st_size if stat.S_ISREG(status.st_mode) else None
