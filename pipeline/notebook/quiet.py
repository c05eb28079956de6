"""Sends what libraries say into a file: TensorFlow to file descriptor 2, Python ones to logging."""

import contextlib
import functools
import logging
import os
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from absl import logging as absl_logging
from IPython.utils import capture


@contextlib.contextmanager
def libraries_into(log: Path) -> Iterator[None]:
    """Appends to ``log``; what is printed to standard output stays where it is.

    Beam shows a script that would fetch jQuery from the internet: what is displayed goes nowhere.
    """
    file = _opened(log)
    with contextlib.ExitStack() as back:
        # A component may leave TensorFlow's logger talkative, which IPython has print to a cell.
        back.callback(logging.getLogger("tensorflow").setLevel, logging.ERROR)
        sys.stderr.flush()
        terminal = os.dup(2)
        back.callback(os.close, terminal)
        back.callback(os.dup2, terminal, 2)
        os.dup2(file.fileno(), 2)
        back.enter_context(contextlib.redirect_stderr(file))
        back.enter_context(capture.capture_output(stdout=False, stderr=False, display=True))
        back.enter_context(warnings.catch_warnings())
        warnings.simplefilter("ignore")
        for handler in _stream_handlers():
            back.callback(setattr, handler, "stream", handler.stream)
            handler.stream = file
        yield


@functools.cache
def _opened(log: Path) -> TextIO:
    """Never closed: a logger that is made meanwhile holds on to it."""
    log.parent.mkdir(parents=True, exist_ok=True)
    return log.open("a", encoding="utf-8", buffering=1)


def _stream_handlers() -> list[logging.StreamHandler]:
    """Those that write to a terminal, whose stream they chose when they were made."""
    absl = absl_logging.get_absl_handler().python_handler
    listed = [*logging.getLogger().handlers, *logging.getLogger("tensorflow").handlers]
    found = [one for one in listed if type(one) is logging.StreamHandler]
    return [absl, *found]
