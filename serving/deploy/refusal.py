"""Why a folder cannot be written; the command line ends with exit code 2."""


class CannotDeploy(ValueError):
    """Something that the user can mend, with what would do.

    Args:
        found: what is wrong, in one sentence without its full stop.
        fix: what would do, in one sentence.
    """

    def __init__(self, found: str, fix: str) -> None:
        self.found, self.fix = found, fix
        super().__init__(f"{found}. {fix}")
