"""When a call is tried again: one deadline over all tries, longer and longer pauses."""

import random
import time
from dataclasses import dataclass

import grpc

RETRIES = 3


@dataclass(frozen=True)
class Backoff:
    """Pauses between tries, in seconds: `first`, then `factor` times the last, `most` at most.

    Each is cut by up to half at random, so that the clients of a server that was away do not all
    come back at the same moment.
    """

    first: float = 0.1
    factor: float = 2.0
    most: float = 2.0

    def pause(self, tries: int) -> float:
        """Seconds to wait after so many failed tries."""
        longest = min(self.most, self.first * self.factor ** (tries - 1))
        return longest * random.uniform(0.5, 1.0)


class Tries:
    """The tries of one call.

    Only UNAVAILABLE is tried again: nobody took the request, or the server was too busy to. Every
    other status is an answer, and would be the same answer again.

    Args:
        retries: tries after the first; 0 is a single try.
        seconds: from now until the call has to be over, pauses included.
    """

    def __init__(self, retries: int, seconds: float, backoff: Backoff | None = None) -> None:
        self._left, self._backoff = retries, backoff or Backoff()
        self._failed = 0
        self._end = time.monotonic() + seconds

    def remaining(self) -> float:
        """Seconds that the next try may take."""
        return max(0.0, self._end - time.monotonic())

    def pause_after(self, error: grpc.RpcError) -> float | None:
        """Seconds to wait before the next try; None if there is none."""
        if error.code() is not grpc.StatusCode.UNAVAILABLE or self._failed >= self._left:
            return None
        self._failed += 1
        pause = self._backoff.pause(self._failed)
        return pause if pause < self.remaining() else None
