"""``rawbert inspect``: what Transform made of the texts of a run, and what is odd about them."""

import contextlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import click


@click.command()
@click.argument("run", type=click.Path(path_type=Path))
@click.option("--rows", default=5, show_default=True, type=click.IntRange(0), help="Texts to show.")
@click.option(
    "--split", default="train", show_default=True, type=click.Choice(["train", "eval", "test"])
)
@click.option(
    "--ask",
    default=500,
    show_default=True,
    type=click.IntRange(0),
    help="Eval texts that the model is asked to find the hardest; 0: none.",
)
@click.option(
    "--html",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write one self-contained page instead.",
)
def inspect(run: Path, rows: int, split: str, ask: int, html: Path | None) -> None:
    """Show texts beside pieces, lengths, odd words, copies and the hardest texts of RUN.

    RUN is a run's folder, e.g. out/reviews.
    """
    from serving.quiet import quiet_tensorflow

    quiet_tensorflow()
    from rich.console import Console

    from pipeline.inspection import build, subject
    from pipeline.page import html as page_html
    from pipeline.page import terminal

    found = subject.open_run(run)
    console = Console(highlight=False, soft_wrap=True)
    with _progress() as tell:
        sections = []
        for section in build.sections(found, split, rows, ask, tell):
            sections.append(section)
            if html is None:
                terminal.show([section], console)
    if html is not None:
        page_html.write(build.page(found, sections), html)
        click.echo(f"written  {html}")


@contextlib.contextmanager
def _progress() -> Iterator[Callable[[str, int, int], None]]:
    """A line on a terminal's standard error that says how far it is."""
    from rich.console import Console
    from rich.status import Status

    if not sys.stderr.isatty():
        yield lambda what, done, total: None
        return
    with Status("reading", console=Console(stderr=True)) as status:
        yield lambda what, done, total: status.update(f"{what}: {done:,} of {total:,}")
