"""Options that several benchmarks have."""

from pathlib import Path

import click

peers = click.option(
    "--peers",
    type=click.Path(exists=True, path_type=Path),
    required=True,
    help="Python of the environment of requirements.txt.",
)
recipe = click.option(
    "--recipe",
    type=click.Path(exists=True, path_type=Path),
    default="recipes/reviews.yaml",
    help="Whose texts are asked.",
)
