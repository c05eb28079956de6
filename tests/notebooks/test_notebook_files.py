"""Notebooks as they are committed, what they say of a mistake, and the cells of another Python."""

import sys
from pathlib import Path

import nbformat
import pytest
from executed import code, errors, said, shown
from nbformat import NotebookNode

from pipeline.notebook.execute import as_html, execute, with_parameters

FOLDER = Path(__file__).parents[2] / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
KERNEL = Path(__file__).parents[2] / "pipeline" / "notebook" / "project_kernel.py"


def read(path: Path) -> NotebookNode:
    return nbformat.read(path, as_version=nbformat.NO_CONVERT)


def notebook_of(*sources: str) -> NotebookNode:
    cells = [nbformat.v4.new_code_cell(source) for source in sources]
    return nbformat.v4.new_notebook(cells=cells)


def executed(folder: Path, *sources: str) -> NotebookNode:
    """Cells of a notebook's own, run whatever fails."""
    path = folder / "cells.ipynb"
    nbformat.write(notebook_of(*sources), path)
    return execute(path, folder, {}, go_on=True)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_committed_without_outputs(path: Path) -> None:
    notebook = read(path)
    nbformat.validate(notebook)
    assert (notebook.nbformat, notebook.nbformat_minor) >= (4, 5)
    assert notebook.metadata.kernelspec.name == "python3"
    for cell in code(notebook):
        assert cell.outputs == [] and cell.execution_count is None


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_opens_in_colab(path: Path) -> None:
    notebook = read(path)
    assert f"colab.research.google.com/github/OWNER/rawbert/blob/main/notebooks/{path.name}" in (
        notebook.cells[0].source
    )
    assert code(notebook)[0].source == code(read(NOTEBOOKS[0]))[0].source
    assert "OWNER/rawbert" in code(notebook)[0].source


def test_there_are_three() -> None:
    assert [path.stem for path in NOTEBOOKS] == ["bring_your_own_data", "quickstart", "tagger"]


def test_parameters_come_after_the_tagged_cell() -> None:
    notebook = with_parameters(read(FOLDER / "quickstart.ipynb"), {"ROWS": 7, "OUT": "x"})
    at = next(i for i, c in enumerate(notebook.cells) if "injected-parameters" in str(c.metadata))
    assert notebook.cells[at].source == "ROWS = 7\nOUT = 'x'"
    assert "parameters" in notebook.cells[at - 1].metadata.tags


def test_an_unknown_parameter_is_refused() -> None:
    with pytest.raises(KeyError, match="ROW: the parameters are ASK, CHANGES, OUT, RECIPE, ROWS"):
        with_parameters(read(FOLDER / "quickstart.ipynb"), {"ROW": 7})


MISTAKES = {
    "no such recipe": (
        'open_session("nothing.yaml")',
        "BadInput: nothing.yaml: no such recipe. Name a YAML file, e.g. recipes/reviews.yaml.",
    ),
    "no such data": (
        'open_session("recipe.yaml")',
        "BadInput: recipe.yaml:2: data.path: {folder}/nothing.csv: there is no such file or folder."
        " Nearest folder that is there: {folder}",
    ),
    "no such file of one's own": (
        'propose.look("nothing.csv")',
        "BadInput: nothing.csv: there is no such file. Upload it, or put its path into CSV.",
    ),
    "a server that is down": (
        'Client("127.0.0.1:1", name="m", retries=0).labels(["A delight."])',
        "Unreachable: no server answers at 127.0.0.1:1",
    ),
    "a command that fails": (
        'rawbert("predict", "--model", "nothing", "A delight.")',
        "Stopped: rawbert predict ended with exit code 2: bad recipe or data.",
    ),
    "a page that is not there": (
        'show.page("report.html")',
        "BadInput: report.html: there is no such page. Run the cell that makes it.",
    ),
}


@pytest.fixture(scope="module")
def mistaken(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, NotebookNode]:
    """A cell a mistake, and one more."""
    folder = tmp_path_factory.mktemp("mistakes")
    (folder / "recipe.yaml").write_text(
        "name: m\ndata: {path: nothing.csv}\nencoder: nothing\ngate: {accuracy: {at_least: 0.5}}\n"
    )
    opening = """%load_ext pipeline.notebook
from pipeline.notebook import propose, show
from pipeline.notebook.command import rawbert
from pipeline.notebook.session import open_session
from serving.client import Client
"""
    cells = [source for source, _ in MISTAKES.values()]
    return folder, executed(folder, opening, *cells, "1 / 0")


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_told_in_a_line(mistaken: tuple[Path, NotebookNode], name: str) -> None:
    folder, notebook = mistaken
    source, expected = MISTAKES[name]
    [cell] = [one for one in code(notebook) if one.source == source]
    [error] = [one for one in cell.outputs if one.output_type == "error"]
    assert "\n".join(error.traceback).startswith(expected.format(folder=folder))
    assert len(error.traceback) == 1


def test_a_mistake_of_the_cells_own_keeps_its_traceback(
    mistaken: tuple[Path, NotebookNode],
) -> None:
    [error] = [one for one in code(mistaken[1])[-1].outputs if one.output_type == "error"]
    assert error.ename == "ZeroDivisionError" and len(error.traceback) > 1


@pytest.fixture(scope="module")
def sent(tmp_path_factory: pytest.TempPathFactory) -> NotebookNode:
    """Cells of one kernel, run in another one that stands for the project's."""
    folder = tmp_path_factory.mktemp("sent")
    project = folder / "project"
    project.mkdir()
    (project / ".venv").symlink_to(sys.prefix)
    return executed(
        folder,
        f"import os\nkept = os.getpid()\n%run {KERNEL} project",
        "import os\nstays = True\nprint(os.getcwd())\n'kept' in globals()",
        f"%run {KERNEL} project\nkept == os.getpid()",
        "from IPython.display import HTML, display\nshown = display(HTML('1'), display_id=True)",
        "shown.update(HTML('2'))",
        "import sys\nprint('warned', file=sys.stderr)\nassert stays\nmissing",
        "%%time\n6 * 7",
        "%%here\nkept == os.getpid()",
        "os.kill(os.getpid(), 9)",
    )


def test_cells_run_in_the_projects_python(sent: NotebookNode) -> None:
    start, where, again, *_, here, _ = code(sent)
    assert f"run in {Path(sys.prefix)}" in said(start) or "project/.venv" in said(start)
    assert said(where).strip().endswith("/project")
    assert shown(where, "text/plain") == "False"
    assert shown(again, "text/plain") == shown(here, "text/plain") == "True"


def test_what_they_show_is_shown(sent: NotebookNode) -> None:
    _, _, _, display, update, failing, timed, *_ = code(sent)
    assert shown(display) == "2" and not update.outputs
    assert "Wall time" in said(timed) and shown(timed, "text/plain") == "42"
    assert said(failing) == "warned\n"


def test_what_fails_there_fails_here(sent: NotebookNode) -> None:
    failing, ended = code(sent)[5], code(sent)[-1]
    [error] = [one for one in failing.outputs if one.output_type == "error"]
    assert "name 'missing' is not defined" in error.traceback[-1]
    assert not [line for line in error.traceback if KERNEL.name in line]
    [error] = [one for one in ended.outputs if one.output_type == "error"]
    assert "rawbert's process has ended" in "".join(error.traceback)
    assert len(errors(sent)) == 2


def test_without_an_environment_it_says_so(tmp_path: Path) -> None:
    notebook = executed(tmp_path, f"%run {KERNEL} .", "1 + 1")
    [error] = errors(notebook)
    assert "`make setup` failed, see above" in "".join(error.traceback)
    assert shown(code(notebook)[-1], "text/plain") == "2"


def test_html_has_the_outputs(tmp_path: Path) -> None:
    assert "forty-two" in as_html(executed(tmp_path, "print('forty' + '-two')"), "cells")
