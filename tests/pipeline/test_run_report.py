"""`report.html` and `rawbert inspect` on the tiny project's run."""

import sys
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import pytest
from runs import Project

pytestmark = pytest.mark.slow

HTML = "{http://www.w3.org/1999/xhtml}"


def words_of(tree: ElementTree.ElementTree) -> str:
    return " ".join("".join(tree.getroot().itertext()).split())


@pytest.fixture(scope="module")
def report(pushed: Project) -> ElementTree.ElementTree:
    """Parsed strictly."""
    return ElementTree.parse(pushed.folder / "out" / "tiny" / "report.html")


def test_the_closing_lines_name_it(pushed: Project) -> None:
    closing = pushed.first.said.split("PUSHED")[1]
    assert "report   out/tiny/report.html" in closing


@pytest.mark.parametrize(
    "words",
    ["tiny pushed", "Data", "train 3", "Lengths", "this run", "Training",
     "Metrics on the test split", "Wilson's score interval", "category: fresh", "Confusion",
     "By label", "accuracy on the whole", "passed", "no blessed model yet", "skew",
     "rawbert serve out/tiny/serving/tiny",
     "docker run", "tensorflow/serving:2.12.1", "rawbert deploy out/tiny", "BLAKE2b", "SHA-256",
     "digest of the trainer's code", "epochs: 3", "Model card: tiny", "peak MB"],
)  # fmt: skip
def test_the_report_has(report: ElementTree.ElementTree, words: str) -> None:
    assert words in words_of(report)


def test_its_links_lead_to_artifacts(pushed: Project, report: ElementTree.ElementTree) -> None:
    links = [a.attrib["href"] for a in report.iter(f"{HTML}a")]
    files = [link for link in links if not link.startswith("#")]
    assert {link.split("/")[1] for link in files} >= {"StatisticsGen", "Evaluator", "SchemaGen"}
    missing = [link for link in files if not (pushed.folder / "out" / "tiny" / link).exists()]
    assert not missing


def test_a_report_that_cannot_be_made_is_a_warning(
    pushed: Project, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    from pipeline import outcome, recipe, run_folder
    from pipeline.check import Inputs
    from pipeline.cli import report_file

    typed, _ = recipe.load(pushed.folder / "recipe.yaml")
    inputs = Inputs("{}", "d", "{}", "e", 0, None)  # type: ignore[arg-type]
    components = pushed.first.components
    ended = components, outcome.read(components)
    run_folder.report(tmp_path).mkdir()  # so that all of it is made, and cannot be put in its place
    path = pushed.folder / "recipe.yaml"
    assert report_file.write(typed, inputs, path, tmp_path, [], ended) is None
    assert "warning  no report.html: IsADirectoryError" in capsys.readouterr().out


Inspect = Callable[..., tuple[int, str]]


@pytest.fixture
def inspect(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture) -> Inspect:
    """inspect(argument, …) -> exit code and what was said."""
    from pipeline.cli.main import main

    def give(*arguments: str) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["rawbert", "inspect", *arguments])
        monkeypatch.setenv("COLUMNS", "200")
        with pytest.raises(SystemExit) as ended:
            main()
        said, code = capfd.readouterr(), int(ended.value.code or 0)
        return code, said.err if code else said.out

    return give


def test_inspect_on_a_terminal(pushed: Project, inspect: Inspect) -> None:
    code, said = inspect(str(pushed.folder / "out" / "tiny"), "--rows", "1", "--split", "test")
    assert code == 0, said
    for words in (
        "Texts beside pieces, test", "[CLS]", "ids   2 ", "types 0 0", "pieces beyond", "this run",
        "fresh", "[UNK] 0", "within train", "test, first in train", "highest loss",
    ):  # fmt: skip
        assert words in said, words


def test_inspect_as_a_page(pushed: Project, inspect: Inspect, tmp_path: Path) -> None:
    page = tmp_path / "texts.html"
    code, said = inspect(str(pushed.folder / "out" / "tiny"), "--html", str(page), "--ask", "10")
    assert (code, said.strip()) == (0, f"written  {page}")
    tree = ElementTree.parse(page)
    assert len(list(tree.iter("{http://www.w3.org/2000/svg}svg"))) == 2
    shown = words_of(tree)
    assert "tiny: its texts" in shown and "Hardest texts of eval" in shown
    assert "Of the eval texts 1 in " in shown


def test_nothing_to_inspect(inspect: Inspect, tmp_path: Path) -> None:
    code, said = inspect(str(tmp_path))
    assert (code, said) == (
        2, f"Error: {tmp_path}: no run there. Name a run's folder, e.g. out/reviews.\n"
    )  # fmt: skip
    (tmp_path / "metadata.sqlite").write_bytes(b"")
    code, said = inspect(str(tmp_path))
    assert (code, said) == (
        2, f"Error: {tmp_path}: the latest run never finished TextExampleGen. Run it again.\n"
    )  # fmt: skip
