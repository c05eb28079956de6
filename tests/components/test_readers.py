"""Readers on real files: what is a row, what is a bad row, what is a bad file."""

import bz2
import gzip
import json
import tracemalloc

import pytest
from data_files import write

from components.readers import BadRow, Row, columns, expand, read
from trainer.errors import BadInput

H = b"text,label\n"


def short(record):
    """(line, text, label) of a row; (line, reason) of a bad one."""
    if isinstance(record, BadRow):
        return (record.line, record.reason)
    return (record.line, record.values.get("text"), record.values.get("label"))


GOOD = {
    "csv plain": ("a.csv", H + b"good,1\nbad,0\n", [(2, "good", "1"), (3, "bad", "0")]),
    "csv no newline at end": ("a.csv", H + b"good,1", [(2, "good", "1")]),
    "csv crlf": ("a.csv", b"text,label\r\ngood,1\r\n", [(2, "good", "1")]),
    "csv bom": ("a.csv", b"\xef\xbb\xbftext,label\ngood,1\n", [(2, "good", "1")]),
    "csv quoted comma": ("a.csv", H + b'"a, b",1\n', [(2, "a, b", "1")]),
    "csv doubled quote": ("a.csv", H + b'"a ""b"" c",1\n', [(2, 'a "b" c', "1")]),
    "csv quote inside a field": (
        "a.csv",
        H + b'5" pipe,1\nx,0\n',
        [(2, '5" pipe', "1"), (3, "x", "0")],
    ),
    "csv newline in quotes": ("a.csv", H + b'"a\nb",1\nc,0\n', [(2, "a\nb", "1"), (4, "c", "0")]),
    "csv crlf in quotes": ("a.csv", H + b'"a\r\nb",1\r\n', [(2, "a\r\nb", "1")]),
    "csv blank lines": ("a.csv", H + b"\n\na,1\n\n", [(4, "a", "1")]),
    "csv empty field": ("a.csv", H + b",1\n", [(2, "", "1")]),
    "csv other order": ("a.csv", b"id,label,text\n7,1,a\n", [(2, "a", "1")]),
    "csv long field": ("a.csv", H + b"x" * 300_000 + b",1\n", [(2, "x" * 300_000, "1")]),
    "tsv quote is ordinary": (
        "a.tsv",
        b'text\tlabel\n"a\t1\nb"\t0\n',
        [(2, '"a', "1"), (3, 'b"', "0")],
    ),
    "tsv crlf": ("a.tsv", b"text\tlabel\r\na\t1\r\n", [(2, "a", "1")]),
    "jsonl": ("a.jsonl", b'{"text": "a\\nb", "label": 1.50}\n', [(1, "a\nb", "1.50")]),
    "jsonl true": ("a.jsonl", b'{"text": "a", "label": true}', [(1, "a", "true")]),
    "jsonl null and absent": (
        "a.jsonl",
        b'{"text": "a", "label": null}\n{"text": "b"}\n',
        [(1, "a", None), (2, "b", None)],
    ),
    "jsonl bom, blank line": (
        "a.jsonl",
        b'\xef\xbb\xbf{"text": "a"}\n\n{"text": "b"}',
        [(1, "a", None), (3, "b", None)],
    ),
    "jsonl surrogate pair": ("a.jsonl", b'{"text": "\\ud83d\\ude00"}', [(1, "\U0001f600", None)]),
    "txt": ("pos/a.txt", b"one\ntwo\n", [(1, "one\ntwo", "pos")]),
    "txt empty": ("pos/a.txt", b"", [(1, "", "pos")]),
    "gz": ("a.csv.gz", gzip.compress(H + b"a,1\n"), [(2, "a", "1")]),
    "bz2": ("a.tsv.bz2", bz2.compress(b"text\tlabel\na\t1\n"), [(2, "a", "1")]),
}

BAD_ROWS = {
    "too few fields": ("a.csv", H + b"a\nb,1\n", [(2, "1 field, the header has 2"), (3, "b", "1")]),
    "too many fields": (
        "a.csv",
        H + b"a,b,1\nb,1\n",
        [(2, "3 fields, the header has 2"), (3, "b", "1")],
    ),
    "tsv too many": ("a.tsv", b"text\tlabel\na\tb\t1\n", [(2, "3 fields, the header has 2")]),
    "latin-1 byte": (
        "a.csv",
        H + b"caf\xe9,1\nb,1\n",
        [(2, "not valid UTF-8 (byte 0xe9)"), (3, "b", "1")],
    ),
    "utf-8 surrogate": ("a.csv", H + b"\xed\xa0\x80,1\n", [(2, "not valid UTF-8 (byte 0xed)")]),
    "nul": ("a.csv", H + b"a\0b,1\nb,1\n", [(2, "a NUL character"), (3, "b", "1")]),
    "nul in a record of two lines": (
        "a.csv",
        H + b'"a\n\0b",1\nb,1\n',
        [(2, "a NUL character"), (4, "b", "1")],
    ),
    "nul in tsv": ("a.tsv", b"text\tlabel\na\0\t1\n", [(2, "a NUL character")]),
    "unclosed quote at the end": (
        "a.csv",
        H + b'a,1\n"b,1\nc,1\nd,0\n',
        [(2, "a", "1"), (3, "a quote is opened and never closed"), (4, "c", "1"), (5, "d", "0")],
    ),
    "unclosed quote before quoted rows": (
        "a.csv",
        H + b'"b,1\nc,1\n"d, e",0\n',
        [(2, "a quoted field goes on after its closing quote"), (3, "c", "1"), (4, "d, e", "0")],
    ),
    "text after closing quote": (
        "a.csv",
        H + b'"a"b,1\nc,1\n',
        [(2, "a quoted field goes on after its closing quote"), (3, "c", "1")],
    ),
    "carriage return": (
        "a.csv",
        H + b"a\rb,1\nc,1\n",
        [(2, "a carriage return inside a field without quotes"), (3, "c", "1")],
    ),
    "broken json": (
        "a.jsonl",
        b'{"text": "a"}\n{"text": \n{"text": "b"}\n',
        [(1, "a", None), (2, "no JSON: Expecting value at column 10"), (3, "b", None)],
    ),
    "json list": ("a.jsonl", b'{"text": "a"}\n["a"]\n', [(1, "a", None), (2, "no JSON object")]),
    "json nested": ("a.jsonl", b'{"text": {"a": 1}}\n', [(1, "`text` is neither text nor number")]),
    "json NaN": (
        "a.jsonl",
        b'{"text": NaN}\n{"text": "a"}',
        [(1, "no JSON: NaN is no JSON value"), (2, "a", None)],
    ),
    "json NUL escape": ("a.jsonl", b'{"text": "a\\u0000"}\n', [(1, "`text`: a NUL character")]),
    "json lone surrogate": ("a.jsonl", b'{"text": "\\ud83d"}\n', [(1, "`text`: a lone surrogate")]),
    "json latin-1": (
        "a.jsonl",
        b'{"text": "\xe9"}\n',
        [(1, "`text`: not valid UTF-8 (byte 0xe9)")],
    ),
    "json deep": (
        "a.jsonl",
        b'{"text": "a"}\n' + b"[" * 100_000,
        [(1, "a", None), (2, "no JSON: nested too deep")],
    ),
    "txt latin-1": ("pos/a.txt", b"one\ntw\xf6\n", [(2, "not valid UTF-8 (byte 0xf6)")]),
}


@pytest.mark.parametrize("name, content, expected", GOOD.values(), ids=GOOD)
def test_rows(tmp_path, name, content, expected):
    path = write(tmp_path, name, content)
    records = list(read(path))
    assert [short(record) for record in records] == expected
    assert all(isinstance(record, Row) and record.file == str(path) for record in records)


@pytest.mark.parametrize("name, content, expected", BAD_ROWS.values(), ids=BAD_ROWS)
def test_bad_rows_cost_themselves_alone(tmp_path, name, content, expected):
    records = list(read(write(tmp_path, name, content)))
    assert [short(record) for record in records] == expected


BAD_FILES = {
    "empty csv": ("a.csv", b"", "is empty"),
    "empty gz": ("a.csv.gz", gzip.compress(b""), "is empty"),
    "empty jsonl": ("a.jsonl", b"", "is empty"),
    "header only": ("a.csv", H, "a header and no rows"),
    "column twice": ("a.csv", b"text,text\na,b\n", "two columns are called 'text'"),
    "utf-16": ("a.csv", "text,label\na,1\n".encode("utf-16"), "iconv -f UTF-16 -t UTF-8"),
    "utf-16 without mark": ("a.csv", "text,label\n".encode("utf-16-le"), "iconv -f UTF-16"),
    "latin-1 header": ("a.csv", "text,catégorie\na,1\n".encode("latin-1"), "iconv -f WINDOWS-1252"),
    "unclosed quote in the header": ("a.csv", b'"text,label\na,1\n', "header cannot be read"),
    "cut gzip": ("a.csv.gz", gzip.compress(H + b"a,1\n" * 999)[:-9], "cut short or not .gz"),
    "no gzip": ("a.csv.gz", H + b"a,1\n", "cut short or not .gz"),
    "no bzip2": ("a.csv.bz2", H + b"a,1\n", "cut short or not .bz2"),
    "unknown extension": ("a.xlsx", b"PK", "'.xlsx'. Set `format` to one of csv, tsv"),
    "a line of 17 MiB": ("a.tsv", b"text\tlabel\n" + b"x" * (17 << 20), "over 16 MiB"),
}


@pytest.mark.parametrize("name, content, message", BAD_FILES.values(), ids=BAD_FILES)
def test_bad_files_are_refused(tmp_path, name, content, message):
    path = write(tmp_path, name, content)
    with pytest.raises(BadInput) as refused:
        list(read(path))
    assert message in str(refused.value)
    assert str(path) in refused.value.where


def test_missing_column_names_those_that_are_there(tmp_path):
    path = write(tmp_path, "a.csv", b"id,category,text\n1,x,y\n")
    with pytest.raises(BadInput, match=r"no column 'categroy'.*'category'.*mean 'category'"):
        read(path, columns=["text", "categroy"])


def test_nested_values_in_other_columns_do_not_matter(tmp_path):
    path = write(tmp_path, "a.jsonl", b'{"text": "a", "meta": {"b": [1]}}\n')
    assert [short(r) for r in read(path, columns=["text"])] == [(1, "a", None)]


def test_format_overrides_the_extension(tmp_path):
    path = write(tmp_path, "a.data", b'text\tlabel\n"a\t1\n')
    assert [short(r) for r in read(path, format="tsv")] == [(2, '"a', "1")]
    with pytest.raises(BadInput, match="unknown format 'xml'"):
        read(path, format="xml")


def test_columns(tmp_path):
    assert columns(write(tmp_path, "a.csv", b'"a b",c\n')) == ["a b", "c"]
    assert columns(write(tmp_path, "a.tsv", b"a\tb\n")) == ["a", "b"]
    assert columns(write(tmp_path, "a.jsonl", b'{"a": 1}\n{"b": 1}\n')) == ["a", "b"]
    assert columns(write(tmp_path, "x/a.txt", b"")) == ["text", "label"]


@pytest.fixture
def tree(tmp_path):
    for name in [
        "a.csv",
        "b.csv.gz",
        "c.jsonl",
        ".hidden.csv",
        "README.md",
        "pos/1.txt",
        "neg/2.txt",
    ]:
        write(tmp_path, name, b"x")
    return tmp_path


EXPAND = {
    "file": ("a.csv", None, ["a.csv"]),
    "folder": (".", None, ["a.csv", "b.csv.gz", "c.jsonl"]),
    "folder of a format": (".", "jsonl", ["c.jsonl"]),
    "folder of classes": (".", "txt", ["neg/2.txt", "pos/1.txt"]),
    "pattern": ("*.csv*", None, ["a.csv", "b.csv.gz"]),
    "deep pattern": ("**/*.txt", None, ["neg/2.txt", "pos/1.txt"]),
    "list, each once": (["c.jsonl", "a.csv", "*.csv"], None, ["a.csv", "c.jsonl"]),
}  # fmt: skip


@pytest.mark.parametrize("path, format, expected", EXPAND.values(), ids=EXPAND)
def test_expand(tree, monkeypatch, path, format, expected):
    monkeypatch.chdir(tree)
    assert expand(path, format) == [tree / name for name in expected]


NOTHING = {
    "no file": ("d.csv", "there is no such file"),
    "no match": ("*.tsv", "no file matches this pattern"),
    "no text in folder": ("pos", "the folder has no csv, tsv, jsonl or conll file"),
    "empty list": ([], "no path is given"),
}


@pytest.mark.parametrize("path, message", NOTHING.values(), ids=NOTHING)
def test_nothing_there(tree, monkeypatch, path, message):
    monkeypatch.chdir(tree)
    with pytest.raises(BadInput, match=message):
        expand(path)


@pytest.mark.parametrize("name", ["big.csv", "big.jsonl", "big.csv.gz"])
def test_memory_does_not_grow_with_the_file(tmp_path, name):
    def peak(rows):
        line = json.dumps({"text": "x" * 400, "label": "a"}) if "json" in name else "x" * 400 + ",a"
        content = ("" if "json" in name else "text,label\n") + (line + "\n") * rows
        raw = gzip.compress(content.encode()) if name.endswith("gz") else content.encode()
        path = write(tmp_path, name, raw)
        del content, raw
        tracemalloc.start()
        assert sum(1 for _ in read(path)) == rows
        top = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return top

    assert peak(20_000) < peak(2_000) + 200_000


def test_one_unclosed_quote_in_a_large_file_costs_one_row(tmp_path):
    body = b'"opened,1\n' + b"a good text,0\n" * 400_000
    records = list(read(write(tmp_path, "a.csv", H + body)))
    assert [r.line for r in records if isinstance(r, BadRow)] == [2]
    assert len(records) == 400_001
