"""Runs notebooks from top to bottom without a browser, and writes them as HTML with their outputs.

python -m pipeline.notebook.execute notebooks/*.ipynb --to out/notebooks --set ROWS=2000
"""

import os
import re
import sys
from collections.abc import Mapping
from pathlib import Path

import click
import nbclient
import nbformat
from nbformat import NotebookNode

_PARAMETERS, _INJECTED = "parameters", "injected-parameters"  # as papermill tags them


def with_parameters(notebook: NotebookNode, values: Mapping[str, object]) -> NotebookNode:
    """Puts a cell of assignments, if there are any, after the one that is tagged ``parameters``.

    Raises:
        KeyError: the notebook has no such parameter.
    """
    if not values:
        return notebook
    at = next(i for i, cell in enumerate(notebook.cells) if _PARAMETERS in tags(cell))
    known = set(re.findall(r"^(\w+)\s*=", notebook.cells[at].source, flags=re.MULTILINE))
    if unknown := sorted(set(values) - known):
        raise KeyError(f"{', '.join(unknown)}: the parameters are {', '.join(sorted(known))}")
    source = "\n".join(f"{name} = {value!r}" for name, value in values.items())
    cell = nbformat.v4.new_code_cell(source, metadata={"tags": [_INJECTED]})
    notebook.cells.insert(at + 1, cell)
    return notebook


def tags(cell: NotebookNode) -> list[str]:
    """A cell's."""
    return cell.metadata.get("tags", [])


def execute(
    path: Path, folder: Path, values: Mapping[str, object], go_on: bool = False
) -> NotebookNode:
    """Runs all cells in a fresh kernel of this Python.

    Args:
        path: the notebook, which stays as it is.
        folder: the kernel's working folder.
        values: of its parameters.
        go_on: after an error, too.

    Raises:
        nbclient.exceptions.CellExecutionError: a cell failed.
    """
    notebook = with_parameters(nbformat.read(path, as_version=4), values)
    run_cells(notebook, folder, go_on)
    return notebook


def run_cells(notebook: NotebookNode, folder: Path, go_on: bool = False) -> None:
    """Runs a notebook that is in memory, in place: after an error, too, the outputs are in it.

    Raises:
        nbclient.exceptions.CellExecutionError: as `execute`.
    """
    # The kernel's own commands find this environment's programs, whether or not it is activated.
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    client = nbclient.NotebookClient(
        notebook,
        kernel_name="python3",  # of this Python: Jupyter takes it for the kernel's `python`
        timeout=None,
        allow_errors=go_on,
        coalesce_streams=True,
        resources={"metadata": {"path": str(folder)}},
    )
    client.execute(env=environment)


def as_html(notebook: NotebookNode, name: str) -> str:
    """The notebook as one file."""
    import nbconvert

    exporter = nbconvert.HTMLExporter(embed_images=True)
    body, _ = exporter.from_notebook_node(notebook, {"metadata": {"name": name}})
    return body


@click.command()
@click.argument("notebooks", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option("--to", type=click.Path(path_type=Path), default=Path("out/notebooks"))
@click.option("--set", "assignments", multiple=True, metavar="NAME=VALUE", help="ROWS=2000")
def main(notebooks: tuple[Path, ...], to: Path, assignments: tuple[str, ...]) -> None:
    """Run NOTEBOOKS in this folder and write them as HTML; parameters that one lacks are left."""
    import ast

    given = dict(one.split("=", 1) for one in assignments)
    to.mkdir(parents=True, exist_ok=True)
    for path in notebooks:
        notebook, target = nbformat.read(path, as_version=4), to / f"{path.stem}.html"
        [cell] = [one for one in notebook.cells if _PARAMETERS in tags(one)]
        mine = {k: ast.literal_eval(v) for k, v in given.items() if f"{k} =" in cell.source}
        click.echo(f"{path}: running")
        try:
            run_cells(with_parameters(notebook, mine), Path.cwd())
        except nbclient.exceptions.CellExecutionError as error:
            raise click.ClickException(f"{path}, see {target}: {error}") from error
        finally:
            target.write_text(as_html(notebook, path.stem), encoding="utf-8")
        click.echo(f"{path}: written to {target}")


if __name__ == "__main__":
    main()
