"""`rawbert predict --bulk`: the same answers as one by one, in the files' own formats."""

import csv
import gzip
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from components.readers import BadRow
from pipeline.bulk.formats import row_format
from pipeline.bulk.places import Place
from pipeline.bulk.records import Record
from pipeline.bulk.work import Plan, Shard, Work
from pipeline.cli.predict import predict
from trainer.errors import BadInput

TEXTS = [
    "A good film!", "", "bad", 'quo"ted, and\nover lines', " blanks ", "日本 film", "tab\tbed",
    *(f"films good {'bad ' * n}" for n in range(16)),
]  # fmt: skip
ADDED = ["pred_label", "pred_score", "pred_scores", "pred_dropped_tokens"]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The base path of a classifier with the signatures of a pushed one."""
    from answering_model import PIECES, AnsweringModel, export

    folder = tmp_path_factory.mktemp("model")
    vocabulary = folder / "vocab.txt"
    vocabulary.write_text("\n".join(PIECES) + "\n")
    exported = Path(export(AnsweringModel(vocabulary), folder)) / "Format-Serving"
    return exported.rename(folder / "1").parent


@pytest.fixture(scope="module")
def tagger(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from word_list_tagger import WordListTagger, export

    folder = tmp_path_factory.mktemp("tagger")
    export(WordListTagger(folder / "vocab.txt"), folder / "1")
    return folder


def bulk(source: Path, out: Path, model: Path, *more: str) -> Result:
    return CliRunner().invoke(
        predict, ["--bulk", str(source), str(out), "--model", str(model), *more]
    )


def one_by_one(model: Path, texts: list[str]) -> list[dict[str, Any]]:
    from serving.local import Local

    with Local(model) as asked:
        return asked.predict(texts)


def write_csv(path: Path, texts: list[str]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerows([["id", "text"], *([str(n), text] for n, text in enumerate(texts))])


def write_tsv(path: Path, texts: list[str]) -> None:
    rows = ["id\ttext", *(f"{n}\t{' '.join(text.split())}" for n, text in enumerate(texts))]
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")


def write_jsonl(path: Path, texts: list[str]) -> None:
    rows = [{"id": n, "text": text, "more": [1.50, None]} for n, text in enumerate(texts)]
    path.write_text("\n".join(map(json.dumps, rows)) + "\n\n", encoding="utf-8")


def write_tfrecord(path: Path, texts: list[str]) -> None:
    import tensorflow as tf

    with tf.io.TFRecordWriter(str(path), "GZIP" if path.suffix == ".gz" else None) as file:
        for number, text in enumerate(texts):
            example = tf.train.Example()
            example.features.feature["id"].int64_list.value.append(number)
            example.features.feature["text"].bytes_list.value.append(text.encode())
            file.write(example.SerializeToString())


def packed(write: Callable[[Path, list[str]], None]) -> Callable[[Path, list[str]], None]:
    def write_packed(path: Path, texts: list[str]) -> None:
        write(path.with_suffix(""), texts)
        path.write_bytes(gzip.compress(path.with_suffix("").read_bytes()))

    return write_packed


def rows_of(path: Path) -> list[dict[str, Any]]:
    """What a user reads back, answers as Python values."""
    if ".tfrecord" in path.name:
        return [_of_example(row) for row in _examples(path)]
    opened = gzip.open if path.suffix == ".gz" else open
    with opened(path, "rt", newline="", encoding="utf-8") as file:
        if ".jsonl" in path.name:
            return [json.loads(line) for line in file]
        quoting = csv.QUOTE_NONE if ".tsv" in path.name else csv.QUOTE_MINIMAL
        delimiter = "\t" if ".tsv" in path.name else ","
        rows = list(csv.DictReader(file, delimiter=delimiter, quoting=quoting))
    for row in rows:
        row |= {name: json.loads(row[name]) for name in ADDED[1:]} | {"id": int(row["id"])}
    return rows


def _examples(path: Path) -> list[Any]:
    import tensorflow as tf

    packed = "GZIP" if path.suffix == ".gz" else ""
    records = tf.data.TFRecordDataset(str(path), packed).as_numpy_iterator()
    return [tf.train.Example.FromString(record).features.feature for record in records]


def _of_example(features: Any) -> dict[str, Any]:
    text = {name: features[name].bytes_list.value[0].decode() for name in ("text", "pred_label")}
    return text | {
        "id": features["id"].int64_list.value[0],
        "pred_score": features["pred_score"].float_list.value[0],
        "pred_scores": json.loads(features["pred_scores"].bytes_list.value[0]),
        "pred_dropped_tokens": features["pred_dropped_tokens"].int64_list.value[0],
    }


WRITERS = {
    "rows.csv": write_csv,
    "rows.tsv": write_tsv,
    "rows.jsonl": write_jsonl,
    "rows.tfrecord": write_tfrecord,
    "rows.csv.gz": packed(write_csv),
    "rows.tfrecord.gz": write_tfrecord,
}


@pytest.mark.parametrize("name", WRITERS)
def test_answers_are_those_of_rawbert_predict(name: str, model: Path, tmp_path: Path) -> None:
    source, out = tmp_path / name, tmp_path / "out" / name
    WRITERS[name](source, TEXTS)
    result = bulk(source, out, model, "--shard-rows", "5", "--batch-size", "2")
    assert result.exit_code == 0, result.output
    assert f"{len(TEXTS)} rows answered" in result.stdout
    rows = rows_of(out)
    assert [row["id"] for row in rows] == list(range(len(TEXTS)))
    if name != "rows.tsv":
        assert [row["text"] for row in rows] == TEXTS
    for row, told in zip(rows, one_by_one(model, [row["text"] for row in rows]), strict=True):
        assert row["pred_label"] == told["label"]
        assert row["pred_score"] == pytest.approx(told["score"], abs=1e-6)
        scores = dict(zip(told["labels"], told["scores"], strict=True))
        assert row["pred_scores"] == pytest.approx(scores, abs=1e-6)
        assert row["pred_dropped_tokens"] == told["dropped_tokens"]
    assert sorted(file.name for file in out.parent.iterdir()) == [name]


def test_lines_of_json_stay_as_they_were(model: Path, tmp_path: Path) -> None:
    lines = ['{"text": "good", "n": 1.50,  "x": [{}]}', ' {"text":"bad","e":"\\u00e9é"} ']
    (tmp_path / "in.jsonl").write_text("\n".join(lines), encoding="utf-8")
    assert bulk(tmp_path / "in.jsonl", tmp_path / "out.jsonl", model).exit_code == 0
    written = (tmp_path / "out.jsonl").read_text(encoding="utf-8").splitlines()
    for before, after in zip(lines, written, strict=True):
        assert after.startswith(before.strip()[:-1] + ', "pred_label": "')


def test_entities(tagger: Path, tmp_path: Path) -> None:
    texts = ["Ada Lovelace in Zürich.", "", "Paris, New York"]
    write_csv(tmp_path / "in.csv", texts)
    assert bulk(tmp_path / "in.csv", tmp_path / "out.csv", tagger).exit_code == 0
    with (tmp_path / "out.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["id", "text", "pred_entities"]
    found = [json.loads(row["pred_entities"]) for row in rows]
    assert [[one["text"] for one in row] for row in found] == [
        ["Ada Lovelace", "Zürich"], [], ["Paris", "New York"],
    ]  # fmt: skip
    assert found[0][1] == {
        "text": "Zürich", "type": "LOC", "start": 16, "end": 23, "char_start": 16, "char_end": 22,
        "score": 0.9,
    }  # fmt: skip


def test_a_folder_becomes_a_folder(model: Path, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    write_csv(tmp_path / "in" / "a.csv", ["good"])
    write_jsonl(tmp_path / "in" / "b.jsonl", ["bad", "good"])
    result = bulk(tmp_path / "in", tmp_path / "out", model)
    assert result.exit_code == 0, result.output
    assert [len(rows_of(tmp_path / "out" / name)) for name in ("a.csv", "b.jsonl")] == [1, 2]


def test_into_the_folder_that_one_is_in(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "here").mkdir()
    write_csv(tmp_path / "in" / "a.csv", ["good"])
    monkeypatch.chdir(tmp_path / "here")
    assert bulk(tmp_path / "in", Path(), model).exit_code == 0
    assert [file.name for file in tmp_path.glob("here*/*")] == ["a.csv"]


def test_into_a_folder_on_another_disk(model: Path, tmp_path: Path) -> None:
    with tempfile.TemporaryDirectory(dir="/dev/shm") as elsewhere:
        if os.stat(elsewhere).st_dev == tmp_path.stat().st_dev:
            pytest.skip("there is one disk only")
        (tmp_path / "in").mkdir()
        write_csv(tmp_path / "in" / "a.csv", ["good"])
        (tmp_path / "out").symlink_to(elsewhere)
        result = bulk(tmp_path / "in", tmp_path / "out", model)
        assert result.exit_code == 0, result.output
        assert os.listdir(elsewhere) == ["a.csv"]


@pytest.mark.slow
def test_a_killed_run_goes_on(model: Path, tmp_path: Path) -> None:
    source, out = tmp_path / "in.csv", tmp_path / "out.csv"
    write_csv(source, TEXTS * 8)
    arguments = ["--bulk", str(source), str(out), "--model", str(model), "--shard-rows", "1"]
    command = [sys.executable, "-m", "pipeline.cli.main", "predict", *arguments]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL, start_new_session=True)
    while not list(tmp_path.glob("out.csv.unfinished/*.done")) and process.poll() is None:
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert not out.exists()
    done = len(list(tmp_path.glob("out.csv.unfinished/*.done")))
    shards = len(json.loads((tmp_path / "out.csv.unfinished/plan.json").read_text())["shards"])
    assert 0 < done < shards
    result = CliRunner().invoke(predict, arguments)
    assert f"{done} were done before" in result.stdout
    assert bulk(source, tmp_path / "at_once.csv", model).exit_code == 0
    assert rows_of(out) == rows_of(tmp_path / "at_once.csv")


def test_what_a_killed_run_had_of_a_shard_does_not_count(tmp_path: Path) -> None:
    work, shard = Work(tmp_path), Shard(0, 0, Place(0, 0, 1), 5)
    plan = Plan([], [], {}, [], [shard])
    work.adopt(plan)
    work.of(shard, "answered").write_text("3")
    assert work.adopt(plan) == 0
    assert not work.of(shard, "answered").exists()


BAD_ROWS = {
    "csv: fields": ("x.csv", "id,text\n1,good\n2\n3,bad\n", "1 field, the header has 2"),
    "csv: not UTF-8": ("x.csv", b"id,text\n1,good\n2,\xff\n3,bad\n", "not valid UTF-8"),
    "jsonl: no JSON": ("x.jsonl", '{"text": "good"}\n{"text"\n{"text": "bad"}', "no JSON"),
    "jsonl: no text": ("x.jsonl", '{"text": "good"}\n{"t": 1}\n{"text": "bad"}', "no `text`"),
    "jsonl: answered": (
        "x.jsonl", '{"text": "good"}\n' * 1000 + '{"text": "", "pred_score": 1}\n',
        "has `pred_score` already",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("name", "content", "reason"), BAD_ROWS.values(), ids=BAD_ROWS.keys())
def test_a_bad_row_is_told_and_the_others_answered(
    name: str, content: str | bytes, reason: str, model: Path, tmp_path: Path
) -> None:
    raw = content if isinstance(content, bytes) else content.encode()
    (tmp_path / name).write_bytes(raw)
    out = tmp_path / f"out.{name}"
    result = bulk(tmp_path / name, out, model)
    assert result.exit_code == 0, result.output
    [told] = map(json.loads, Path(f"{out}.rejected.jsonl").read_text().splitlines())
    assert reason in told["reason"]
    head = 1 if name.endswith("csv") else 0
    assert told["line"] == (1001 if "pred" in reason else 2 + head)
    assert len(rows_of(out)) == raw.strip().count(b"\n") - head


def refusal(source: Path, out: Path, model: Path, *more: str) -> str:
    result = bulk(source, out, model, *more)
    assert result.exit_code != 0
    assert isinstance(result.exception, BadInput | SystemExit)
    return str(result.exception) + result.output


REFUSED = {
    "an answer's column": ("in.csv", "text,pred_label\na,b\n", "out.csv", [], "old_pred_label"),
    "no such column": ("in.csv", "txt\na\n", "out.csv", [], "--text txt"),
    "no rows": ("in.csv", "text\n", "out.csv", [], "no rows"),
    "another format": ("in.csv", "text\na\n", "out.jsonl", [], "Call it 'out.csv'"),
    "another format, packed": ("in.csv.gz", "", "out.jsonl.gz", [], "Call it 'out.csv.gz'"),
    "the input itself": ("in.csv", "text\na\n", "in.csv", [], "the output is the input"),
    "the input by another way": ("in.csv", "text\na\n", "../{}/in.csv", ["--overwrite"],
                                 "the output is the input"),
    "an option of single texts": ("in.csv", "text\na\n", "out.csv", ["--json"],
                                  "--bulk and --json exclude each other"),
    "no format": ("in.dat", "text\na\n", "out.dat", [], "Set `format`"),
    "no place for answers": ("in.txt", "a\n", "out.txt", [], "predict -f"),
    "two texts": ("in.csv", "text\na\n", "out.csv", ["--text", "a", "--text", "b"], "1 texts"),
    "only bad rows": ("in.jsonl", '{"text": null}\n{"text": []}\n{"text": {}}', "out.jsonl", [],
                      "none of the rows"),
    "no TFRecord": ("in.tfrecord", "text\n" * 9, "out.tfrecord", [], "damaged"),
    "no record": ("in.tfrecord", "text\n", "out.tfrecord", [], "no record"),
    "an option that Beam lacks": ("in.csv", "text\na\n", "out.csv",
                                  ["--beam-arg=--direct_num_worker=2"], "--direct_num_workers"),
    "an engine that is away": ("in.csv", "text\na\n", "out.csv",
                               ["--beam-arg=--runner=PortableRunner",
                                "--beam-arg=--job_endpoint=127.0.0.1:1"], "does not answer"),
}  # fmt: skip


@pytest.mark.parametrize(
    ("name", "content", "out", "more", "told"), REFUSED.values(), ids=REFUSED.keys()
)
def test_refused(
    name: str, content: str, out: str, more: list[str], told: str, model: Path, tmp_path: Path
) -> None:
    (tmp_path / name).write_text(content)
    out = out.format(tmp_path.name)
    assert told in refusal(tmp_path / name, tmp_path / out, model, *more)


def test_an_output_that_is_there(model: Path, tmp_path: Path) -> None:
    write_csv(tmp_path / "in.csv", ["good"])
    (tmp_path / "out.csv").write_text("dear to somebody")
    assert "--overwrite" in refusal(tmp_path / "in.csv", tmp_path / "out.csv", model)
    assert (tmp_path / "out.csv").read_text() == "dear to somebody"
    assert bulk(tmp_path / "in.csv", tmp_path / "out.csv", model, "--overwrite").exit_code == 0
    assert len(rows_of(tmp_path / "out.csv")) == 1


CUT = {
    "csv": (
        '\ufefftext,n\r\n"a, b",1\n\n"over\nlines ""q""",2\nan "open quote",3\n"never closed,4\n'
        "e,5\nbad\nlast,6"
    ),
    "tsv": 'text\tn\na "b\t1\n\nc\t2\nbad\nd\t3\n',
    "jsonl": '\ufeff{"text": "a"}\n\n{"text": "b"}\nbad\n {"text": "c"}\n{"text": "d"}',
}


@pytest.mark.parametrize("pack", [False, True], ids=["plain", "gz"])
@pytest.mark.parametrize("every", [1, 2, 3])
@pytest.mark.parametrize("format", CUT)
def test_shards_are_the_whole_file(format: str, every: int, pack: bool, tmp_path: Path) -> None:
    raw = CUT[format].encode()
    path = tmp_path / (f"in.{format}.gz" if pack else f"in.{format}")
    path.write_bytes(gzip.compress(raw) if pack else raw)
    rows = row_format(path, format, {"text": "text"}, ADDED)
    places = list(rows.places(every))
    shards = [
        list(rows.records(place, beyond.row - place.row)) for place, beyond in pairwise(places)
    ]
    assert [len(shard) for shard in shards[:-1]] == [every] * (len(shards) - 1)
    [first, *_] = places
    whole: list[Record | BadRow] = list(rows.records(first, places[-1].row))
    assert [row for shard in shards for row in shard] == whole
    assert any(isinstance(row, BadRow) for row in whole)
