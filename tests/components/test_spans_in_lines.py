"""Tagged rows that are lines: jsonl with spans of characters, tsv with tags."""

import json

import pytest
from data_files import entities, write
from hypothesis import given
from hypothesis import strategies as st

from components.readers import read
from components.readers.character_spans import _byte_offsets
from components.readers.tagged import Tagged
from trainer.errors import BadInput

TEXT = "Ann mag Köln, 😀 und 厦门."
SPANS = {
    "objects": ([{"start": 0, "end": 3, "type": "PER"}], [("Ann", "PER")]),
    "label": ([{"start": 8, "end": 12, "label": "LOC"}], [("Köln", "LOC")]),
    "lists": ([[8, 12, "LOC"]], [("Köln", "LOC")]),
    "after wide characters": ([[20, 22, "LOC"]], [("厦门", "LOC")]),
    "sorted": ([[20, 22, "LOC"], [0, 3, "PER"]], [("Ann", "PER"), ("厦门", "LOC")]),
    "touching": ([[0, 2, "A"], [2, 3, "B"]], [("An", "A"), ("n", "B")]),
    "the whole text": ([[0, len(TEXT), "A"]], [(TEXT, "A")]),
    "emoji": ([[14, 15, "E"]], [("😀", "E")]),
    "none": ([], []),
    "other keys": ([{"start": 0, "end": 3, "type": "PER", "id": 7}], [("Ann", "PER")]),
}


@pytest.mark.parametrize("spans, expected", SPANS.values(), ids=SPANS)
def test_spans_of_characters(tmp_path, spans, expected):
    path = write(tmp_path, "a.jsonl", json.dumps({"text": TEXT, "entities": spans}))
    (row,) = read(path, tagged=Tagged())
    assert entities(row) == expected
    assert (row.values, row.spans.word_starts) == ({"text": TEXT}, [])


UNFIT = {
    "absent": ({"text": "ab"}, "no `entities`"),
    "null": ({"text": "ab", "entities": None}, "no `entities`"),
    "no list": ({"text": "ab", "entities": {"start": 0}}, "`entities` is no list of spans"),
    "no span": ({"text": "ab", "entities": [[0, 1]]}, "a span is {start, end, type} or"),
    "no type": ({"text": "ab", "entities": [{"start": 0, "end": 1}]}, "the span 0–1 has no type"),
    "empty type": ({"text": "ab", "entities": [[0, 1, " "]]}, "the span 0–1 has no type"),
    "a list as type": ({"text": "ab", "entities": [[0, 1, ["X"]]]}, "the span 0–1 has no type"),
    "fraction": ({"text": "ab", "entities": [[0, 1.5, "X"]]}, "start and end of a span are whole"),
    "true": ({"text": "ab", "entities": [[0, True, "X"]]}, "start and end of a span are whole"),
    "no end": ({"text": "ab", "entities": [{"start": 0, "type": "X"}]}, "start and end of a span"),
    "beyond": ({"text": "ab", "entities": [[0, 3, "X"]]}, "the span 0–3 X leaves the text of 2"),
    "before": ({"text": "ab", "entities": [[-1, 1, "X"]]}, "the span -1–1 X leaves the text of 2"),
    "empty": ({"text": "ab", "entities": [[1, 1, "X"]]}, "the span 1–1 X is empty"),
    "backwards": ({"text": "ab", "entities": [[2, 1, "X"]]}, "the span 2–1 X is empty"),
    "overlap": (
        {"text": "abc", "entities": [[1, 3, "Y"], [0, 2, "X"]]},
        "the spans 0–2 X and 1–3 Y overlap",
    ),
    "twice": ({"text": "ab", "entities": [[0, 1, "X"]] * 2}, "the spans 0–1 X and 0–1 X overlap"),
    "NUL in a type": ({"text": "ab", "entities": [[0, 1, "\0"]]}, "the type of the span 0–1: a"),
    "no text": ({"entities": [[0, 1, "X"]]}, "no `text`"),
    "list": (["text"], "no JSON object"),
}  # fmt: skip


@pytest.mark.parametrize("found, reason", UNFIT.values(), ids=UNFIT)
def test_unfit_spans_are_bad_rows(tmp_path, found, reason):
    good = json.dumps({"text": "a", "entities": []})
    path = write(tmp_path, "a.jsonl", f"{good}\n\n{json.dumps(found)}\n{good}\n")
    first, bad, last = read(path, columns=["text"], tagged=Tagged())
    assert (entities(first), entities(last)) == ([], [])
    assert (bad.file, bad.line) == (str(path), 3)
    assert bad.reason.startswith(reason)


@given(st.text(st.sampled_from("aé海😀\u0301")), st.data())
def test_characters_to_bytes(text, data):
    offsets = sorted(data.draw(st.lists(st.integers(0, len(text)))))
    at = _byte_offsets(text, offsets)
    assert {o: len(text[:o].encode()) for o in offsets} == at


def test_columns_of_jsonl(tmp_path):
    line = {"body": "a b", "tags": [[0, 1, "X"]], "source": "s", "n": 1.50, "extra": {"a": []}}
    path = write(tmp_path, "a.jsonl", json.dumps(line))
    tagged = Tagged(text="body", label="tags")
    (row,) = read(path, columns=["body", "source", "n"], tagged=tagged)
    assert row.values == {"body": "a b", "source": "s", "n": "1.5"}
    with pytest.raises(BadInput, match=r"no column 'entities'.*'tags'"):
        read(path, tagged=Tagged(text="body"))


TSV = "text\ttags\tsource\nSan José ist da\tB-LOC I-LOC O O\tnews\n海 钓\tO B-X\t\n\t\tnone\n"


def test_inline_tags(tmp_path):
    path = write(tmp_path, "a.tsv", TSV)
    rows = list(read(path, columns=["text", "source"], tagged=Tagged(label="tags")))
    assert [entities(row) for row in rows] == [[("San José", "LOC")], [("钓", "X")], []]
    assert [row.values for row in rows] == [
        {"text": "San José ist da", "source": "news"},
        {"text": "海钓", "source": ""},
        {"text": "", "source": "none"},
    ]
    assert rows[0].spans.word_starts == [0, 4, 10, 14]


BAD_LINES = {
    "uneven": ("a b\tO", (2, "2 words and 1 tags")),
    "fields": ("a b", (2, "1 field, the header has 2")),
    "no prefix": ("a b\tO X", (2, "tag 'X' has no prefix")),
    "illegal": ("a b\tO I-X", (2, "I-X after O is not iob2")),
    "NUL": ("a \0b\tO O", (2, "a NUL character")),
}


@pytest.mark.parametrize("line, expected", BAD_LINES.values(), ids=BAD_LINES)
def test_bad_lines_of_inline_tags(tmp_path, line, expected):
    path = write(tmp_path, "a.tsv", f"text\ttags\n{line}\na\tO\n")
    bad, good = read(path, tagged=Tagged(label="tags"))
    assert (bad.line, bad.reason.split(".")[0]) == expected
    assert entities(good) == []


def test_unusable_tsv(tmp_path):
    with pytest.raises(BadInput, match="a header and no rows"):
        list(read(write(tmp_path, "a.tsv", "text\ttags\n"), tagged=Tagged(label="tags")))
    with pytest.raises(BadInput, match=r"no column 'entities'; there are 'text', 'tags'"):
        read(write(tmp_path, "b.tsv", TSV.replace("\tsource", "")), tagged=Tagged())
