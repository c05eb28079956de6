"""The error that a user can mend: bad input, named with its place and its fix."""

from typing import TypeVar

Error = TypeVar("Error", bound=BaseException)


class BadInput(ValueError):
    """Input that cannot be used; the command line ends with exit code 2.

    Args:
        found: what is wrong, in one sentence.
        where: the file, with line or key where there is one: ``reviews.csv:17``.
        fix: what would do, in one sentence.
    """

    def __init__(self, found: str, *, where: str = "", fix: str = "") -> None:
        self.found, self.where, self.fix = found, where, fix
        stop = "" if not fix or found.endswith((".", "!", "?", "…")) else "."
        said = ": ".join(part for part in (where, found + stop) if part)
        super().__init__(f"{said} {fix}".strip())


def cause(
    error: BaseException | None, kinds: type[Error] | tuple[type[Error], ...]
) -> Error | None:
    """The first error of some kinds in a chain of causes; Beam and TFX wrap what they meet."""
    while error is not None and not isinstance(error, kinds):
        error = error.__cause__ or error.__context__
    return error
