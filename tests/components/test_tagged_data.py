"""All files of tagged data together: scheme, counts, and both sides of each refusal."""

import json
from pathlib import Path

import pytest

from components.data_report import DataReport, merged
from components.readers import read
from components.readers.detect_scheme import scheme_of
from components.readers.schemes import SCHEMES, convert
from components.readers.select import Selection
from components.readers.survey import survey
from components.readers.tagged import Tagged
from components.splits import given_files
from trainer.errors import BadInput

SHARED = Path(__file__).parents[3] / "shared" / "data"
TAGS = ["B-PER", "I-PER", "O", "B-LOC", "O", "B-LOC", "B-LOC", "I-LOC", "I-LOC", "O", "O"]


def write(path, *sentences):
    """A sentence is its tags; its words are numbers, the file's name makes them its own."""
    blocks = (
        "".join(f"{path.stem}{n}.{i}\t{tag}\n" for i, tag in enumerate(tags))
        for n, tags in enumerate(sentences)
    )
    path.write_text("\n".join(blocks), encoding="utf-8")
    return path


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_scheme_is_found_out(tmp_path, scheme):
    path = write(tmp_path / "a.conll", *[convert(TAGS, "iob2", scheme)] * 3, ["O"])
    assert scheme_of([path], None, Tagged()) == scheme


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_few_illegal_places_do_not_change_it(tmp_path, scheme):
    good = [convert(TAGS, "iob2", scheme)] * 5
    wrong = convert(["O", "B-X", "O"], "iob2", "iob1" if scheme == "iob2" else "iob2")
    path = write(tmp_path / "a.conll", *good, wrong, good[0])
    assert scheme_of([path], None, Tagged()) == scheme
    rows = list(read(path, tagged=Tagged(scheme=scheme)))
    assert [hasattr(row, "reason") for row in rows] == [False] * 5 + [True, False]


DOUBTFUL = {
    "no entity": (["O O"], "iob2"),
    "I alone": (["I-X O I-Y I-Y"], "iob1"),
    "no entity of three words": (["B-X E-X O S-Y"], "bioes"),
    "entities of one word": (["B-X O B-Y"], "iob2"),
    "S alone": (["S-X O S-Y"], "bioes"),
}


@pytest.mark.parametrize("sentences, scheme", DOUBTFUL.values(), ids=DOUBTFUL)
def test_doubtful_cases(tmp_path, sentences, scheme):
    path = write(tmp_path / "a.conll", *map(str.split, sentences))
    assert scheme_of([path], None, Tagged()) == scheme


def test_all_files_decide_together(tmp_path):
    doubtful = write(tmp_path / "a.conll", ["B-X", "E-X"])
    telling = write(tmp_path / "b.conll", ["B-X", "M-X", "E-X"])
    assert scheme_of([doubtful, telling], None, Tagged()) == "bmeos"
    tsv = tmp_path / "c.tsv"
    tsv.write_text("text\tentities\na b c\tB-X M-X E-X\n")
    spans = tmp_path / "d.jsonl"
    spans.write_text('{"text": "a", "entities": []}')
    assert scheme_of([doubtful, tsv, spans], None, Tagged()) == "bmeos"


NO_SCHEME = {
    "bilou": (["O B-X L-X O", "U-X"], "a.conll:3: .*tag 'L-X' has the unknown prefix 'L'"),
    "no prefix": (["O PER PER"], "a.conll:2: .*tag 'PER' has no prefix"),
    "zero for O": (["0 B-X 0 0"], "a.conll:1: .*tag '0' has no prefix"),
    "words for tags": (["a b c", "d"], "a.conll:1: .*tag 'a' has no prefix"),
}


@pytest.mark.parametrize("sentences, message", NO_SCHEME.values(), ids=NO_SCHEME)
def test_tags_of_no_scheme_are_refused(tmp_path, sentences, message):
    path = write(tmp_path / "a.conll", *map(str.split, sentences))
    with pytest.raises(BadInput, match=message):
        scheme_of([path], None, Tagged())


def test_a_file_in_another_scheme_is_refused_unless_it_is_to_be_repaired(tmp_path):
    train = write(tmp_path / "train.conll", *[TAGS] * 99)
    test = write(tmp_path / "test.conll", *[convert(TAGS, "iob2", "iob1")] * 5)
    with pytest.raises(BadInput, match=r"test.conll:1: .*this file are iob1, .*files.* iob2"):
        scheme_of([train, test], None, Tagged())
    with pytest.raises(BadInput, match=r"train.conll:1: .*are iob2, `data.scheme` says iob1"):
        scheme_of([train], None, Tagged(scheme="iob1"))
    assert scheme_of([train, test], None, Tagged(repair=True)) == "iob2"
    (first, *_) = read(test, tagged=Tagged(scheme="iob2", repair=True))
    assert first.spans.types == ["PER", "LOC", "LOC", "LOC"]
    assert first.spans.repaired == 3


def test_an_unknown_scheme():
    with pytest.raises(BadInput, match=r"unknown scheme 'bilou'.*iob2, iob1, bioes, bmeos"):
        Selection.of("text", tags={"scheme": "bilou"})


def look(tmp_path, tags=(), keep=None, **splits):
    """The survey of conll files by split, and its refusal if there is one."""
    files = {name: [] for name in ("train", "eval", "test")}  # given, if empty: nothing is cut
    files |= {name: [write(tmp_path / f"{name}.conll", *s)] for name, s in splits.items()}
    found = survey(files, "text", "entities", keep, tags=dict(tags))
    found.refuse(Selection.of("text", "entities", keep, tags=dict(tags)), tolerated=0.3)
    return found


def test_everything_is_counted(tmp_path):
    illegal, prefixless = ["O", "I-LOC"], ["PER"]
    train = [TAGS, ["O"], illegal, prefixless, TAGS, TAGS]
    found = look(tmp_path, {"repair": True}, train=train, eval=[["B-LOC"]], test=[["O", "O"]])
    report = found.report
    assert found.scheme == "iob2"
    assert report.rows == {"train": 5, "eval": 1, "test": 1}
    assert report.words == {"train": 36, "eval": 1, "test": 2}
    assert report.entities == {"train": {"PER": 3, "LOC": 10}, "eval": {"LOC": 1}, "test": {}}
    assert report.repaired == {"train": 1}
    assert [(row.line, row.reason.split(".")[0]) for row in report.bad] == [
        (18, "tag 'PER' has no prefix")
    ]
    assert report.first["train"]["LOC"] == (str(tmp_path / "train.conll"), 1)
    assert DataReport.from_json(report.to_json()) == report
    both = merged([report, report])
    assert both.entities["train"] == {"PER": 6, "LOC": 20}
    assert (both.words["train"], both.repaired["train"]) == (72, 2)
    assert both.first == report.first


def test_a_report_from_before_there_were_taggers():
    old = json.loads(DataReport().to_json())
    for name in ("entities", "first", "words", "repaired"):
        del old[name]
    assert DataReport.from_json(json.dumps(old)) == DataReport()


REFUSED = {
    "no entity": ({"train": [["O"]]}, "no entity in the 1 rows of train"),
    "no entity in train": ({"train": [["O"]], "test": [TAGS]}, "no entity in the 1 rows of train"),
    "a type that train lacks": (
        {"train": [TAGS], "eval": [TAGS], "test": [["O"], ["O", "B-PRO"], ["B-PRO", "B-ORG"]]},
        r"test.conll:3: test has .* lacks: ORG \(1\), PRO \(2\); train has LOC, PER",
    ),
    "bad sentences": (
        {"train": [TAGS, TAGS, ["O", "I-X"]]},
        "train.conll:26: 1 of 3 rows are bad.*line 26: I-X after O is not iob2",
    ),
}


@pytest.mark.parametrize("splits, message", REFUSED.values(), ids=REFUSED)
def test_refused(tmp_path, splits, message):
    with pytest.raises(BadInput, match=message):
        look(tmp_path, **splits)


ACCEPTED = {
    "a type that only train has": {"train": [TAGS], "test": [["B-PER"]]},
    "a split without entities": {"train": [TAGS], "test": [["O"]]},
    "one type": {"train": [["B-X"]]},
    "few bad sentences": {"train": [TAGS] * 3 + [["O", "I-X"]]},
}


@pytest.mark.parametrize("splits", ACCEPTED.values(), ids=ACCEPTED)
def test_accepted(tmp_path, splits):
    assert look(tmp_path, **splits).scheme == "iob2"


def test_data_without_splits_is_looked_at_as_it_will_be_cut(tmp_path):
    path = write(tmp_path / "a.conll", *[TAGS] * 300)
    found = survey(given_files(str(path)), "text", "entities", tags={})
    assert set(found.report.entities) == {"train", "eval", "test"}
    assert found.report.rows.total() == 300


def test_copies_with_other_entities_contradict_each_other(tmp_path):
    path = tmp_path / "a.conll"
    path.write_text("a O\n\na O\n\nb B-X\n\nb B-Y\n\nc B-X\n\nc B-X\n")
    report = survey([path], "text", tags={}).report
    assert (report.duplicates, report.conflicts) == (3, 1)


@pytest.mark.parametrize("keep, columns", [({"entities": ["x"]}, ()), (None, ["entities"])])
def test_entities_are_no_value(keep, columns):
    with pytest.raises(BadInput, match="'entities' holds a text's entities, not one value"):
        Selection.of("text", "entities", keep, columns, tags={})


def test_renamed_columns(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text('{"label": "a b", "spans": [[0, 1, "X"]], "score": "s"}\n')
    names = {"label": "sentence", "spans": "entities", "score": "source"}
    selection = Selection.of("sentence", "entities", {"source": ["s"]}, (), names, {})
    (row,) = read(path, None, selection.needed, selection.tagged)
    kept = selection.judge(row)
    assert kept.values == {"sentence": "a b", "source": "s"}
    assert kept.spans.types == ["X"]


SOURCES = {
    "conll2003": (
        ("eng.train.txt.gz", 14_041, 203_621,
         {"LOC": 7140, "PER": 6600, "ORG": 6321, "MISC": 3438}),
        ("eng.testa.txt.gz", 3250, 51_362, {"PER": 1842, "LOC": 1837, "ORG": 1341, "MISC": 922}),
        ("eng.testb.txt.gz", 3453, 46_435, {"LOC": 1668, "ORG": 1661, "PER": 1617, "MISC": 702}),
    ),
    "wnut17": (
        ("train.conll", 3394, 62_730, {"person": 660, "location": 548, "group": 264,
                                       "corporation": 221, "product": 142, "creative-work": 140}),
        ("dev.conll", 1009, 15_733, {"person": 470, "product": 114, "creative-work": 105,
                                     "location": 74, "group": 39, "corporation": 34}),
        ("test.conll", 1287, 23_394, {"person": 429, "group": 165, "location": 150,
                                      "creative-work": 142, "product": 127, "corporation": 66}),
    ),
    "msra_ner": (
        ("train.txt.gz", 40_500, 1_956_019, {"LOC": 33_184, "ORG": 18_603, "PER": 15_890}),
        ("dev.txt.gz", 4500, 215_554, {"LOC": 3676, "ORG": 1981, "PER": 1725}),
        ("test.txt.gz", 3442, 172_601, {"LOC": 2886, "PER": 1973, "ORG": 1331}),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", SOURCES)
def test_public_data_counts_as_its_source_says(name):
    if not (SHARED / name).is_dir():
        pytest.skip(f"no {name}: it comes with ../shared/data")
    splits = dict(zip(("train", "eval", "test"), SOURCES[name], strict=True))
    files = {split: [SHARED / name / expected[0]] for split, expected in splits.items()}
    found = survey(files, "text", format="conll", tags={})
    found.refuse(Selection.of("text", tags={}))
    assert (found.scheme, found.bad_rows, found.report.repaired) == ("iob2", 0, {})
    for split, (_, rows, words, entities) in splits.items():
        report = found.report
        assert (report.rows[split], report.words[split]) == (rows, words)
        assert report.entities[split] == entities
