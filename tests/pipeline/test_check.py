"""What cannot be used is refused before anything starts, with the recipe's line and the fix."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from tiny_data import write_vocabulary

from pipeline import recipe as recipes
from pipeline.check import check
from trainer.errors import BadInput

Spoil = Callable[[Path], object]


def data(text: str | bytes) -> Spoil:
    content = text.encode() if isinstance(text, str) else text
    return lambda project: (project / "data" / "reviews.csv").write_bytes(content)


def replace(old: str, new: str) -> Spoil:
    def spoil(project: Path) -> None:
        path = project / "recipe.yaml"
        assert old in path.read_text()
        path.write_text(path.read_text().replace(old, new))

    return spoil


ROWS = "good film,fresh\nbad film,rotten\n"
SPOILT: dict[str, tuple[Spoil, str]] = {
    "no files": (replace("data/*.csv", "data/*.tsv"), r"recipe.yaml:3: data.path.*no"),
    "missing column": (
        data("txt,category\n" + ROWS), r"no column 'text'; there are 'txt', 'category'.*mean 'txt'"
    ),
    "empty file": (data(""), r"reviews.csv.*empty"),
    "header only": (data("text,category\n"), r"reviews.csv.*(header|no rows)"),
    "one class": (data("text,category\na,fresh\nb,fresh\n"), r"one class only \('fresh'\)"),
    "keep leaves nothing": (
        replace("path: data/*.csv", "path: data/*.csv\n  keep: {category: [plot]}"), "no row has"
    ),
    "numbers for texts": (data("text,category\n1,fresh\n2.5,rotten\n"), r"holds numbers"),
    "not UTF-8": (
        data(b"text,category\n" + "caf\xe9,fresh\nna\xefve,rotten\n".encode("latin-1")),
        r"reviews.csv:2.*(UTF-8|utf-8).*iconv",
    ),
    "too many bad rows": (data("text,category\n" + ROWS + "a,b,c\n"), r"reviews.csv:4.*bad"),
    "column called like an output": (
        replace("slices: [category]", "slices: [scores]"),
        r"recipe.yaml:9: gate.slices: the column `scores` .*Write `rename: \{scores: scores_g",
    ),
    "label is the text": (
        replace("path: data/*.csv", "path: data/*.csv\n  label: text"), "same column `text`"
    ),
    "slice column missing": (replace("[category]", "[region]"), r"no column 'region'"),
    "TensorFlow Serving unknown": (
        replace("slices: [category]", 'slices: [category]\nserve: {tf_serving: "1.4"}'),
        r"TensorFlow Serving 1.4 is not known here. Known releases: 2.12",
    ),
    "no vocabulary": (replace("vocab.txt", "vocab.text"), r"recipe.yaml:4: encoder.*vocab.text"),
    "vocabulary without [SEP]": (
        lambda project: (project / "vocab.txt").write_text("[PAD]\n[UNK]\n[CLS]\na\n"),
        r"no \[SEP\]",
    ),
    "fewer positions than tokens": (
        replace("vocab: vocab.txt", "max_positions: 8, vocab: vocab.txt"),
        r"recipe.yaml:5: max_tokens: 16 tokens, but the encoder has 8 positions",
    ),
    "encoder that is not there": (
        replace("{layers: 1, width: 32, heads: 2, vocab: vocab.txt}", "encoders/none"),
        r"recipe.yaml:4: encoder.*encoders/none",
    ),
    "schema that is not there": (
        replace("path: data/*.csv", "path: data/*.csv\n  schema: none.pbtxt"), "no such schema"
    ),
}  # fmt: skip


@pytest.fixture
def project(tmp_path: Path, tiny_project, monkeypatch: pytest.MonkeyPatch) -> Path:
    tiny_project(tmp_path, rows=40)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run_check(project: Path):
    return check(*recipes.load(project / "recipe.yaml"))


def test_a_good_project_passes(project: Path) -> None:
    inputs = run_check(project)
    assert inputs.survey.kept == 40
    assert dict(inputs.survey.label_counts) == {"fresh": 20, "rotten": 20}


@pytest.mark.parametrize(("spoil", "message"), SPOILT.values(), ids=SPOILT)
def test_spoilt(project: Path, spoil: Spoil, message: str) -> None:
    spoil(project)
    with pytest.raises(BadInput, match=message) as error:
        run_check(project)
    assert "recipe.yaml" in str(error.value), "the recipe's line is named"


def test_renamed_column(project: Path) -> None:
    data("text,label\n" + ROWS)(project)
    recipe = project / "recipe.yaml"
    recipe.write_text(
        recipe.read_text().replace(
            "path: data/*.csv", "path: data/*.csv\n  rename: {label: category}"
        )
    )
    assert set(run_check(project).survey.label_counts) == {"fresh", "rotten"}


def test_fingerprints_follow_the_content_not_the_time(project: Path) -> None:
    before = run_check(project)
    os.utime(project / "data" / "reviews.csv")
    same = run_check(project)
    assert (same.data_fingerprint, same.encoder_fingerprint) == (
        before.data_fingerprint,
        before.encoder_fingerprint,
    )
    write_vocabulary(project / "vocab.txt").open("a").write("one\n")
    changed = run_check(project)
    assert changed.encoder_fingerprint != before.encoder_fingerprint
    assert changed.data_fingerprint == before.data_fingerprint


WITHOUT_TENSORFLOW = """
import sys
from pipeline import check, recipe
check.check(*recipe.load("recipe.yaml"))
assert not {"tensorflow", "keras", "tfx", "apache_beam"} & set(sys.modules)
"""


def test_a_mistake_is_told_before_tensorflow_is_imported(project: Path) -> None:
    subprocess.run([sys.executable, "-c", WITHOUT_TENSORFLOW], cwd=project, check=True)
