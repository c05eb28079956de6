"""The first look at the data, both sides of each of its refusals."""

import json
import subprocess
import sys

import numpy as np
import pytest

from components.readers.fingerprint import fingerprint
from components.readers.select import Selection
from components.readers.survey import survey
from components.splits import cut, given_files, text_hash
from components.text_counts import count, entry, partitions
from trainer.errors import BadInput


def write(path, lines, encoding="utf-8"):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes("\n".join(lines).encode(encoding))
    return path


def test_survey_counts_every_row(tmp_path):
    lines = ["text,label", "a,x", "b,y", "a,y", ",x", "c,", "3.5,x", "d,z", "too,many,fields"]
    found = survey([write(tmp_path / "a.csv", lines)], "text", "label", {"label": ["x", "y", ""]})
    assert (found.rows, found.kept, found.bad_rows, found.report.not_kept) == (8, 5, 2, 1)
    assert [(row.line, row.reason) for row in found.bad] == [
        (6, "no or an empty `label`"),
        (9, "3 fields, the header has 2"),
    ]
    assert found.label_counts == {"x": 3, "y": 2}
    assert (found.duplicates, found.empty_texts, found.numeric_share) == (1, 1, 0.25)


GOOD = ["text,label", *(f"text {i},{i % 2}" for i in range(200))]
REFUSED = {
    "one class": (["text,label", "a,x", "b,x"], {}, "one class only .*'x'"),
    "numbers": (["text,label", "1,x", "2.5,y", "1e3,x"], {}, "column 'text' holds numbers"),
    "bad rows": ([*GOOD, "a", "b", "c"], {}, "3 of 203 rows are bad.*line 202: 1 field"),
    "nothing kept": (GOOD, {"label": ["7"]}, "data.keep: no row has one of these values"),
    "empty": ([], {}, "the file is empty"),
    "header only": (["text,label"], {}, "a header and no rows"),
    "missing column": (["txt,label", "a,b"], {}, "no column 'text'.*mean 'txt'"),
    "missing column to keep by": (GOOD, {"labl": ["1"]}, "no column 'labl'.*mean 'label'"),
}


@pytest.mark.parametrize("lines, keep, message", REFUSED.values(), ids=REFUSED)
def test_refused(tmp_path, lines, keep, message):
    path = write(tmp_path / "a.csv", lines)
    with pytest.raises(BadInput, match=message):
        survey([path], "text", "label", keep).refuse(Selection.of("text", "label"))


ACCEPTED = {
    "two classes": GOOD,
    "numbers are labels": ["text,label", "a,1", "b,2"],
    "half are numbers": ["text,label", "1,x", "b,y"],
    "bad rows within the share": [*GOOD, "a", "b"],
}


@pytest.mark.parametrize("lines", ACCEPTED.values(), ids=ACCEPTED)
def test_accepted(tmp_path, lines):
    path = write(tmp_path / "a.csv", lines)
    survey([path], "text", "label").refuse(Selection.of("text", "label"))


def test_a_latin_1_file_is_refused_with_the_command_that_mends_it(tmp_path):
    path = write(tmp_path / "a.csv", ["text,label", "été,x", "hiver,y"], "latin-1")
    with pytest.raises(BadInput) as refused:
        survey([path], "text", "label").refuse(Selection.of("text", "label"))
    assert refused.value.where == f"{path}:2"
    command = refused.value.fix.split("Convert it: ")[1].split(" (if")[0]
    subprocess.run(command, shell=True, check=True)
    mended = tmp_path / "a.utf8.csv"
    survey([mended], "text", "label").refuse(Selection.of("text", "label"))


JUDGED = {
    "empty text is kept": ({"text": "", "label": "x"}, "Row"),
    "empty label": ({"text": "a", "label": " "}, "BadRow"),
    "no label": ({"text": "a"}, "BadRow"),
    "no text": ({"label": "x"}, "BadRow"),
    "not kept": ({"text": "a", "label": "y"}, "NotKept"),
    "not kept before bad": ({"label": "y"}, "NotKept"),
}


@pytest.mark.parametrize("values, verdict", JUDGED.values(), ids=JUDGED)
def test_judge(tmp_path, values, verdict):
    from components.readers import Row

    selection = Selection.of("text", "label", {"label": ["x", " "]} if "y" in str(values) else None)
    assert type(selection.judge(Row(values, "f", 1))).__name__ == verdict


def test_renamed_columns_are_called_so_in_text_label_and_keep(tmp_path):
    path = write(tmp_path / "a.csv", ["text,label", "a,x", "b,y", "c,z"])
    found = survey([path], "text", "kind", {"kind": ["x", "y"]}, rename={"label": "kind"})
    assert found.label_counts == {"x": 1, "y": 1}
    with pytest.raises(BadInput, match=r"no column 'labl'"):
        survey([path], "text", "kind", rename={"labl": "kind"})


def test_keep_takes_yaml_values_as_the_readers_spell_them():
    assert Selection.of("t", "l", {"l": [1, True, "x"]}).keep == {"l": {"1", "true", "x"}}


def test_cut_is_by_text_alone_and_stable():
    assert text_hash(["a"]) == 0x80489184ECF46FB8  # in another process, on another day
    assert text_hash(["ab", "c"]) != text_hash(["a", "bc"])
    shares = [cut(text_hash([str(i)]), ()) for i in range(10_000)]
    assert 0.78 < shares.count("train") / 10_000 < 0.82
    assert 0.09 < shares.count("eval") / 10_000 < 0.11
    assert {cut(text_hash([str(i)]), ("eval", "test")) for i in range(100)} == {"train"}
    assert {cut(text_hash([str(i)]), ("test",)) for i in range(100)} == {"train", "eval"}


def test_counts_of_copies_are_exact():
    drawn = np.random.default_rng(0).integers(0, 300, 1000)
    found = [entry((str(i),), str(i % 7 + j % 2), "train") for j, i in enumerate(drawn)]
    parts = {}
    for number, chunk in partitions(found):
        parts.setdefault(number, []).append(chunk)
    totals = [count(chunks) for chunks in parts.values()]
    labels = {i: {str(i % 7 + j % 2) for j, k in enumerate(drawn) if k == i} for i in set(drawn)}
    assert sum(t["duplicates"] for t in totals) == 1000 - len(set(drawn))
    assert sum(t["conflicts"] for t in totals) == sum(len(kinds) > 1 for kinds in labels.values())


def test_given_splits(tmp_path):
    path = str(write(tmp_path / "a.csv", GOOD))
    assert list(given_files({"train": path, "test": path})) == ["train", "test"]
    with pytest.raises(BadInput, match=r"unknown split 'dev'.*train, eval, test"):
        given_files({"train": path, "dev": path})
    with pytest.raises(BadInput, match="no train split"):
        given_files({"eval": path})


def test_fingerprint_follows_content_and_split(tmp_path):
    path, copy = write(tmp_path / "x/a.csv", GOOD), write(tmp_path / "y/x/a.csv", GOOD)
    base = fingerprint({"path": str(path)})
    assert base == fingerprint(json.dumps({"path": [str(path)]}))
    assert base == fingerprint({"path": str(copy)})  # moved with its folder
    assert base != fingerprint({"path": {"train": str(path), "test": str(copy)}})
    write(path, GOOD[:-1])
    assert base != fingerprint({"path": str(path)})


def test_the_first_look_loads_neither_tensorflow_nor_tfx():
    code = (
        "import sys, components.readers.survey, components.readers.fingerprint\n"
        "assert not {'tensorflow', 'tfx', 'apache_beam'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
