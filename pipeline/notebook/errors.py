"""Errors in a cell: one that a user can mend is told in a line, any other keeps its traceback."""

from types import TracebackType
from typing import Any

from serving.errors import BadConfig, NotAModel, PortInUse, ServingError, Unreachable
from serving.results import OtherTask
from trainer.errors import BadInput, cause


class Stopped(Exception):
    """What the machine or the network did, in words."""


MENDABLE = (
    Stopped, BadInput, BadConfig, NotAModel, OtherTask, PortInUse, ServingError, Unreachable,
)  # fmt: skip


def told_in_a_line(shell: Any) -> None:
    """From now on, for a shell of IPython; the cell has failed all the same."""
    shell.set_custom_exc(MENDABLE, _tell)


def _tell(
    shell: Any,
    kind: type[BaseException],
    error: BaseException,
    trace: TracebackType,
    tb_offset: int | None = None,
) -> list[str]:
    lines = [f"{kind.__name__}: {error}"]
    shell._showtraceback(kind, error, lines)  # what a custom handler has to do itself
    return lines


def mendable(error: BaseException, log: object) -> Exception:
    """What a user is to be told of an error in a component.

    Returns:
        The first mendable error in the chain of causes; else one that names the error and the log.
    """
    if told := cause(error, MENDABLE):
        return told
    first = (str(error).strip().splitlines() or [""])[0][:300]
    return Stopped(f"{type(error).__name__}: {first} The whole story is in {log}")
