"""The error that a user can mend: bad input, named with its place and its fix."""


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
