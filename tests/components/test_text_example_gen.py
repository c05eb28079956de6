"""TextExampleGen with real files, real Beam and a real metadata store."""

import json
from collections import Counter

import pytest
import tensorflow as tf

from components.data_report import DataReport
from components.readers.fingerprint import fingerprint
from trainer.errors import BadInput

WORDS = ["red", "green", "blue", "warm", "cold", "wet", "dry", "old", "new", "far"]


def rows(count, start=0):
    """Distinct texts of two classes."""
    texts = (f"{WORDS[i % 10]} {WORDS[i // 10 % 10]} {i}" for i in range(start, start + count))
    return [(text, "ab"[i % 2]) for i, text in enumerate(texts)]


def csv_file(path, content, header="text,label"):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join([header, *(",".join(row) for row in content)]) + "\n")
    return str(path)


def data_of(path, **more):
    return {"path": path, "text": "text", "label": "label", **more}


@pytest.fixture
def generate(tmp_path, run_pipeline, newest):
    """Runs TextExampleGen; gives (states, error, rows by split, report)."""

    def run(data, bad_rows=0.01, beam_args=()):
        from components.text_example_gen import TextExampleGen

        component = TextExampleGen(json.dumps(data), fingerprint(data), bad_rows)
        states, error = run_pipeline([component], beam_args)
        if error:
            return states, error, None, None
        folder = newest("TextExampleGen", "examples")
        report = DataReport.from_json((folder / "report.json").read_text())
        return (
            states,
            None,
            {s: read_split(folder / f"Split-{s}") for s in ("train", "eval", "test")},
            report,
        )

    return run


def read_split(folder):
    files = sorted(str(path) for path in folder.iterdir())
    found = []
    for raw in tf.data.TFRecordDataset(files, compression_type="GZIP").as_numpy_iterator():
        feature = tf.train.Example.FromString(raw).features.feature
        found.append({k: v.bytes_list.value[0].decode() for k, v in sorted(feature.items())})
    return found


def texts_of(split):
    return {row["text"] for row in split}


def test_one_path_is_cut_by_the_text_alone(tmp_path, generate):
    plain = rows(400)
    copies = [(text, "b" if label == "a" else "a") for text, label in plain]
    path = csv_file(tmp_path / "all.csv", plain + copies)
    _, error, splits, report = generate(data_of(path))
    assert error is None
    assert {s: len(r) for s, r in splits.items()} == report.rows
    assert report.rows.total() == 800
    assert 0.72 < report.rows["train"] / 800 < 0.88
    assert not texts_of(splits["train"]) & (texts_of(splits["eval"]) | texts_of(splits["test"]))
    assert (report.duplicates, report.conflicts) == (400, 400)
    assert set(report.overlap.values()) <= {0}
    assert report.labels["train"] == Counter(row["label"] for row in splits["train"])


def test_given_splits_stay_and_their_overlap_is_counted(tmp_path, generate):
    shared = rows(3)
    path = {
        "train": csv_file(tmp_path / "train.csv", rows(20)),
        "eval": csv_file(tmp_path / "eval.csv", rows(5, 100) + shared[:1]),
        "test": csv_file(tmp_path / "test.csv", rows(5, 200) + shared),
    }
    _, _, splits, report = generate(data_of(path))
    assert report.rows == {"train": 20, "eval": 6, "test": 8}
    assert report.overlap == {"train/eval": 1, "train/test": 3, "eval/test": 1}
    assert [row["text"] for row in splits["train"]] == [text for text, _ in rows(20)]


@pytest.mark.parametrize("missing", ["eval", "test"])
def test_a_split_that_is_not_given_is_cut_from_train(tmp_path, generate, missing):
    given = {"eval": "test", "test": "eval"}[missing]
    path = {
        "train": csv_file(tmp_path / "train.csv", rows(200)),
        given: csv_file(tmp_path / "other.csv", rows(30, 1000)),
    }
    _, _, splits, _ = generate(data_of(path))
    assert len(splits[given]) == 30
    assert 5 <= len(splits[missing]) <= 40
    assert len(splits["train"]) + len(splits[missing]) == 200


def test_only_the_columns_asked_for_and_the_rows_kept(tmp_path, generate):
    content = [(f"text {i}", "xyz"[i % 3], f"s{i % 2}", "secret") for i in range(120)]
    path = csv_file(tmp_path / "a.csv", content, "text,label,source,other")
    data = data_of(path, keep={"kind": ["x", "y"]}, columns=["source"])
    data |= {"label": "kind", "rename": {"label": "kind"}}
    _, _, splits, report = generate(data)
    everything = [row for split in splits.values() for row in split]
    assert {tuple(row) for row in everything} == {("kind", "source", "text")}
    assert {row["kind"] for row in everything} == {"x", "y"}
    assert (report.not_kept, report.rows.total()) == (40, 80)


def test_bad_rows_are_counted_and_named(tmp_path, generate):
    path = tmp_path / "a.csv"
    csv_file(path, rows(298))
    path.write_bytes(path.read_bytes() + b"caf\xe9,a\nno label,\n ,a\n")
    data = data_of(str(path))
    _, _, _, report = generate(data)
    assert report.bad == [
        (str(path), 300, "not valid UTF-8 (byte 0xe9)"),
        (str(path), 301, "no or an empty `label`"),
    ]
    assert (report.bad_rows, report.empty_texts, report.rows.total()) == (2, 1, 299)
    states, error, *_ = generate(data, bad_rows=0.005)
    assert "2 of 301 rows are bad" in str(error)
    assert states[-1] == ("TextExampleGen", "FAILED")


TWO_AT_ONCE = ["--direct_running_mode=multi_threading", "--direct_num_workers=2"]


@pytest.mark.parametrize("beam_args", [[], TWO_AT_ONCE], ids=["one worker", "two workers"])
def test_files_of_all_formats(tmp_path, generate, beam_args):
    csv_file(tmp_path / "data" / "a.csv", rows(100))
    lines = [json.dumps({"text": t, "label": k}) for t, k in rows(100, 100)]
    (tmp_path / "data" / "b.jsonl").write_text("\n".join(lines))
    (tmp_path / "data" / "c.tsv").write_text(
        "\n".join(["text\tlabel", *map("\t".join, rows(100, 200))])
    )
    _, error, splits, report = generate(data_of(str(tmp_path / "data")), beam_args=beam_args)
    assert error is None
    assert set.union(*map(texts_of, splits.values())) == {text for text, _ in rows(300)}
    assert report.rows.total() == 300


def test_a_folder_per_class(tmp_path, generate):
    for text, label in rows(1100):
        path = tmp_path / "data" / label / f"{text}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text + "\n")
    _, _, splits, _ = generate(data_of(str(tmp_path / "data")))
    found = [(row["text"], row["label"]) for split in splits.values() for row in split]
    assert sorted(found) == sorted(rows(1100))


def test_cache_follows_the_content(tmp_path, generate):
    path = tmp_path / "a.csv"
    csv_file(path, rows(100))
    generate(data_of(str(path)))
    path.touch()
    states, *_ = generate(data_of(str(path)))
    assert [state for _, state in states] == ["COMPLETE", "CACHED"]
    csv_file(path, rows(99))
    states, *_, report = generate(data_of(str(path)))
    assert [state for _, state in states] == ["COMPLETE", "CACHED", "COMPLETE"]
    assert report.rows.total() == 99


REFUSED = {
    "one latin-1 file of two": (
        {"a.csv": b"text,label\nx,1\n", "b.csv": "text,label\nété,1\n".encode("latin-1")},
        {},
        "b.csv:2: 1 of 2 rows are bad.*iconv -f WINDOWS-1252",
    ),
    "too few rows to cut": ({"a.csv": b"text,label\na,1\n"}, {}, "split has no rows"),
}


@pytest.mark.parametrize("files, more, message", REFUSED.values(), ids=REFUSED)
def test_refused_with_the_first_cause(tmp_path, generate, files, more, message):
    (tmp_path / "data").mkdir()
    for name, content in files.items():
        (tmp_path / "data" / name).write_bytes(content)
    _, error, *_ = generate(data_of(str(tmp_path / "data"), **more))
    assert isinstance(error, BadInput)
    with pytest.raises(BadInput, match=message):
        raise error
