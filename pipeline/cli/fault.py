"""A command that cannot go on."""

import sys
from typing import NoReturn

import click


def fail(message: str, code: int) -> NoReturn:
    """Says why in one line, and ends the process with an exit code."""
    click.echo(f"error: {message}", err=True)
    sys.exit(code)
