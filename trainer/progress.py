"""Tells whoever listens how far training is; without a listener, the log.

The trainer runs under a command line, in a notebook or on a remote worker. It only says what
happened; the listener decides how it looks.
"""

from collections.abc import Callable
from typing import Any

from absl import logging

Listener = Callable[[str, dict[str, Any]], None]
_listeners: list[Listener] = []


def publish(event: str, **values: Any) -> None:
    """Tells all listeners, e.g. ``publish("step", done=10, total=640, loss=0.4)``."""
    if event != "step":
        logging.info("%s: %s", event, ", ".join(f"{key} {value}" for key, value in values.items()))
    for listener in _listeners:
        listener(event, values)


class listening:  # noqa: N801 - a context manager that reads as a verb
    """``with listening(show): …`` calls ``show(event, values)`` for each event inside."""

    def __init__(self, listener: Listener) -> None:
        self._listener = listener

    def __enter__(self) -> None:
        _listeners.append(self._listener)

    def __exit__(self, *_: object) -> None:
        _listeners.remove(self._listener)
