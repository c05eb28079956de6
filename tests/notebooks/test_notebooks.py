"""Every notebook from top to bottom, on a tiny project, and what a reader of it relies on."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from executed import cell_with, code, errors, said, shown, texts_of
from nbformat import NotebookNode

from pipeline.notebook.execute import execute

FOLDER = Path(__file__).parents[2] / "notebooks"
ASK = ["A bright, warm film.", "The plot was dull <b>and</b> stale.", ""]
TAGGED = ["the film was Ada Holm in Oslo .", "Zoë's plot: Lima, Lima", ""]
TINY = "{layers: 1, width: 32, heads: 2, vocab: vocab.txt}"
WHOLE = {"RECIPE": "recipe.yaml", "CHANGES": (), "ROWS": 0}
LEARNS = ("max_tokens=24", "train={epochs: 3, batch_size: 16, learning_rate: 3.0e-3}")

pytestmark = pytest.mark.slow


Execute = Callable[..., NotebookNode]


@pytest.fixture(scope="module")
def executed(tmp_path_factory: pytest.TempPathFactory) -> Execute:
    """executed(notebook, write_project, parameter=…) -> the notebook after a run in a project."""

    def of(name: str, write_project: Callable[[Path], Path], **parameters: Any) -> NotebookNode:
        folder = tmp_path_factory.mktemp(name)
        write_project(folder)
        return execute(FOLDER / f"{name}.ipynb", folder, {"OUT": "out", **parameters})

    return of


@pytest.fixture(scope="module")
def quickstart(executed: Execute, tiny_project: Callable[..., Path]) -> NotebookNode:
    return executed("quickstart", tiny_project, **WHOLE, ASK=ASK)


@pytest.fixture(scope="module")
def tagger(executed: Execute, tiny_tagger_project: Callable[..., Path]) -> NotebookNode:
    return executed("tagger", tiny_tagger_project, **WHOLE, ASK=TAGGED)


@pytest.fixture(scope="module")
def own_data(executed: Execute, tiny_project: Callable[..., Path]) -> NotebookNode:
    own = {"CSV": "data/reviews.csv", "ENCODER": TINY, "CHANGES": LEARNS}
    return executed("bring_your_own_data", tiny_project, **own, ASK=ASK)


@pytest.fixture(params=["quickstart", "tagger", "own_data"])
def any_of_them(request: pytest.FixtureRequest) -> NotebookNode:
    return request.getfixturevalue(request.param)


def test_every_cell_runs_and_no_library_chatters(any_of_them: NotebookNode) -> None:
    assert not errors(any_of_them)
    outputs = [o for cell in code(any_of_them) for o in cell.outputs]
    streams = [o for o in outputs if o.output_type == "stream"]
    assert not [o.text for o in streams if o.name == "stderr" or ":tensorflow:" in o.text]
    assert not [o for o in outputs if "application/javascript" in o.get("data", {})]


FIGURES = {
    "labels by split": ("show.data(run)", "Share of rows by label in each split"),
    "lengths": ("show.lengths(run)", "Texts by their length in pieces"),
    "loss by epoch": ("show.training(run)", "loss by epoch"),
    "metric by epoch": ("show.training(run)", "accuracy by epoch"),
    "slices": ("show.metrics(run)", "95 % interval"),
    "confusion": ("show.confusion(run)", "by label in the data and label given"),
}


@pytest.mark.parametrize(("words", "caption"), FIGURES.values(), ids=FIGURES)
def test_figures(quickstart: NotebookNode, words: str, caption: str) -> None:
    html = shown(cell_with(quickstart, words))
    figures = texts_of(html, "figcaption")
    assert any(caption in one for one in figures)
    assert html.count("<svg") == len(figures)


def test_statistics_schema_and_anomalies(quickstart: NotebookNode) -> None:
    statistics = shown(cell_with(quickstart, "show.statistics(run)"))
    rows = texts_of(statistics, "td")
    assert {"text", "category"} <= set(rows)
    assert any(one.startswith("train: 3") for one in texts_of(statistics, "p", "caption"))
    assert "category_domain" in shown(cell_with(quickstart, '"schema"'))
    assert "No anomalies found" in shown(cell_with(quickstart, '"anomalies"'))


def test_records_decode_to_the_pieces_of_the_text_beside_them(
    quickstart: NotebookNode, tmp_path: Path, tiny_project: Callable
) -> None:
    """By Hugging Face's tokenizer, which knows nothing of Transform."""
    import tokenizers

    tiny_project(tmp_path)
    reference = tokenizers.BertWordPieceTokenizer(str(tmp_path / "vocab.txt"), lowercase=True)
    reference.enable_truncation(16)
    html = shown(cell_with(quickstart, "show.decoded(run"))
    words = texts_of(html, "p", "words")
    listed = [texts_of(one, "bdi") for one in html.split("</ol>")[:-1]]
    assert len(words) == len(listed) == 4
    assert listed == [reference.encode(text).tokens for text in words]
    ids = [[int(i) for i in _ids(one)] for one in html.split("</ol>")[:-1]]
    assert ids == [reference.encode(text).ids for text in words]


def _ids(html: str) -> list[str]:
    return [one.split(" · ")[0] for one in texts_of(html, "small")]


def test_the_served_answer_is_that_of_predict(quickstart: NotebookNode) -> None:
    from serving.local import Local

    [path] = [line for line in said(code(quickstart)[-1]).splitlines() if "The model:" in line]
    with Local(path.removeprefix("The model: ")) as local:
        expected = local.labels(ASK)
    cells = texts_of(shown(cell_with(quickstart, "show.labels(")), "td")
    rows = [cells[i : i + 4] for i in range(0, len(cells), 4)]
    assert rows == [
        [one.label, text, f"{one.score:.4f}", "0"] for text, one in zip(ASK, expected, strict=True)
    ]
    lines = said(cell_with(quickstart, 'rawbert("predict"')).splitlines()
    asked = [json.loads(line) for line in lines]
    assert [one["text"] for one in asked] == ASK
    assert [one["score"] for one in asked] == pytest.approx([one.score for one in expected])


def test_entities_are_marked_where_they_stand(tagger: NotebookNode) -> None:
    html = shown(cell_with(tagger, "show.entities("))
    assert texts_of(html, "mark")[:2] == ["Ada HolmPER", "OsloLOC"]
    plain = html.replace("<small>", "<!--").replace("</small>", "-->")
    assert texts_of(plain, "p", "marked") == TAGGED
    lines = said(cell_with(tagger, "one.char_start")).splitlines()
    assert lines[0].split()[0] == "PER" and lines[0].endswith("Ada Holm")
    predicted = said(cell_with(tagger, 'rawbert("predict"')).splitlines()
    assert "[Ada Holm PER]" in predicted[0] and "[Oslo LOC]" in predicted[0]


def test_gold_entities_are_those_of_the_data(tagger: NotebookNode) -> None:
    marks = texts_of(shown(cell_with(tagger, "show.gold(")), "mark")
    assert marks and all(one.endswith(("PER", "LOC")) for one in marks)
    decoded = texts_of(shown(cell_with(tagger, "show.decoded(run")), "b")
    assert {"B-PER", "B-LOC"} & set(decoded)


def test_own_data_is_run_inspected_and_asked(own_data: NotebookNode) -> None:
    assert "label: category" in said(cell_with(own_data, "propose.recipe("))
    assert "rawbert serve out/mine/serving/mine" in said(cell_with(own_data, 'rawbert("run"'))
    assert shown(cell_with(own_data, "report.html")).startswith("<iframe")
    assert "Hardest texts" in shown(cell_with(own_data, "texts.html"))
    answers = texts_of(shown(cell_with(own_data, "show.labels(")), "td")
    assert answers[0:2] == ["fresh", ASK[0]] and answers[4:6] == ["rotten", ASK[1]]
