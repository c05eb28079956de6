"""``rawbert inspect``: what Transform made of the texts of a run."""

from pathlib import Path

import click


@click.command()
@click.argument("run", type=click.Path(path_type=Path))
@click.option("--rows", default=5, show_default=True, help="Texts to show.")
@click.option("--split", default="train", show_default=True)
def inspect(run: Path, rows: int, split: str) -> None:
    """Show texts beside pieces, lengths, truncation and oddities of RUN (e.g. out/reviews)."""
    from serving.quiet import quiet_tensorflow

    quiet_tensorflow()
    from pipeline.cli import inspect_view

    inspect_view.show(run, split, rows)
