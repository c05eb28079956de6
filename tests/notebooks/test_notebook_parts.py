"""Rows drawn from data, recipes proposed for it, and sections as a cell shows them."""

import json
from pathlib import Path

import pytest

from pipeline import recipe as recipes
from pipeline.check import check
from pipeline.notebook import few, propose, show
from pipeline.page.blocks import Marked
from pipeline.recipe import Data
from serving.results import Entity
from trainer.errors import BadInput

ROWS = 40
FILES = {
    "csv": "text,category\n" + "".join(f'"a ""b"",\nline {i}",{i % 2}\n' for i in range(ROWS)),
    "tsv": "text\tcategory\n" + "".join(f'say "{i}\t{i % 2}\n' for i in range(ROWS)),
    "jsonl": "".join(json.dumps({"text": f"é{i}", "category": "x"}) + "\n" for i in range(ROWS)),
    "conll": "-DOCSTART- O\n\n" + "".join(f"Ada B-PER\nnr O\n{i} O\n\n" for i in range(ROWS - 1)),
}


def records(text: str, format: str) -> list[str]:
    """The header first, where there is one."""
    if format == "conll":
        return [one for one in text.split("\n\n") if one]
    lines = text.replace(",\nline", ",\\nline").splitlines()
    return [line.replace(",\\nline", ",\nline") for line in lines]


@pytest.mark.parametrize("format", FILES)
def test_rows_are_drawn_in_their_order(tmp_path: Path, format: str) -> None:
    source = tmp_path / f"data.{format}"
    source.write_text(FILES[format], encoding="utf-8")
    change = few.cut(Data(path=str(source), format=format), 8, tmp_path / "few")
    drawn = records((tmp_path / "few" / f"train.{format}").read_text(), format)
    whole = records(FILES[format], format)
    headed = format in ("csv", "tsv")
    assert len(drawn) == 8 + headed and drawn == [one for one in whole if one in drawn]
    assert drawn[0] == whole[0] or not headed
    assert change == f'data.path="{tmp_path}/few/train.{format}"'


def test_splits_that_are_given_stay_apart(tmp_path: Path) -> None:
    for split in ("train", "test"):
        (tmp_path / f"{split}.csv").write_text(FILES["csv"].replace("line", split))
    data = Data(path={"train": f"{tmp_path}/train.csv", "test": f"{tmp_path}/test.csv"})
    change = json.loads(few.cut(data, 8, tmp_path / "few").removeprefix("data.path="))
    assert sorted(change) == ["test", "train"]
    assert Path(change["train"]).read_text().count("train ") == 8
    assert Path(change["test"]).read_text().count("test ") == 2


def test_more_rows_than_there_are_is_all_of_them(tmp_path: Path) -> None:
    (tmp_path / "data.tsv").write_text(FILES["tsv"])
    few.cut(Data(path=f"{tmp_path}/data.tsv"), 1000, tmp_path)
    assert (tmp_path / "train.tsv").read_text() == FILES["tsv"]


COLUMNS = {  # header, a row by its number ▶ text, label, rename
    "by length and number of values": (
        ["id", "body", "kind"], lambda i: [str(i), f"a text that is number {i}", "ab"[i % 2]],
        "body", "kind", None,
    ),
    "by name before number of values": (
        ["flag", "topic", "body"], lambda i: ["yn"[i % 2], "abc"[i % 3], f"a longer text {i}"],
        "body", "topic", None,
    ),
    "called like a signature's output": (
        ["text", "label"], lambda i: [f"a text that is number {i}", "ab"[i % 2]],
        "text", "label_given", {"label": "label_given"},
    ),
}  # fmt: skip


@pytest.mark.parametrize(("names", "row", "text", "label", "rename"), COLUMNS.values(), ids=COLUMNS)
def test_a_proposed_recipe_passes_the_check(
    tmp_path: Path, tiny_project, names, row, text, label, rename
) -> None:
    tiny_project(tmp_path)
    source = tmp_path / "mine.csv"
    source.write_text("\n".join([",".join(names), *(",".join(row(i)) for i in range(ROWS))]))
    encoder = f"{{layers: 1, width: 8, heads: 2, vocab: {tmp_path}/vocab.txt}}"
    target = tmp_path / "mine.yaml"
    target.write_text(propose.recipe(source, "mine", encoder))
    typed, document = recipes.load(target)
    assert (typed.data.text, typed.data.label) == (text, label)
    assert typed.data.rename == (rename or {})
    assert check(typed, document).survey.kept == ROWS


def test_no_label_no_recipe(tmp_path: Path) -> None:
    (tmp_path / "mine.csv").write_text("id,text\n1,one text\n2,another\n")
    with pytest.raises(BadInput, match="no column looks like a label"):
        propose.recipe(tmp_path / "mine.csv", "mine", "minilm")


def test_what_users_wrote_stays_text() -> None:
    text = "<b>Ada</b> & 😀 Oslo"
    found = [Entity("Ada", "PER", 3, 6, 3, 6, 0.9), Entity("Oslo", "LOC", 18, 22, 15, 19, 0.8)]
    view = show.entities([text], [found])
    [block] = view.section.blocks
    assert isinstance(block, Marked)
    assert [part for part in block.parts if part[1]] == [("Ada", "PER"), ("Oslo", "LOC")]
    assert "".join(words for words, _ in block.parts) == text
    assert "<b>" not in view._repr_html_() and "&lt;b&gt;" in view._repr_html_()
    assert repr(view).strip().endswith("<b>[Ada PER]</b> & 😀 [Oslo LOC]")
