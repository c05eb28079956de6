"""Columns of words and tags: what is a sentence, a bad one, no file at all."""

import bz2
import gzip
import tracemalloc

import pytest
from data_files import told, write

from components.readers import Row, expand, read, require
from components.readers.tagged import Tagged
from trainer.errors import BadInput

TAB = "EU\tB-ORG\nsagt\tO\nSan\tB-LOC\nJosé\tI-LOC\n"
WHOLE = ("EU sagt San José", [("EU", "ORG"), ("San José", "LOC")])


def told_all(path, **tagged):
    return [told(record) for record in read(path, "conll", tagged=Tagged(**tagged))]


CONLL2003 = (
    "-DOCSTART- -X- -X- O\n\nEU NNP B-NP B-ORG\nsagt VBZ B-VP O\nSan NNP B-NP B-LOC\n"
    "José NNP I-NP I-LOC\n"
)
GOOD = {
    "tabs": (TAB, {}, [WHOLE]),
    "blanks": (TAB.replace("\t", " "), {}, [WHOLE]),
    "many blanks": (TAB.replace("\t", "    "), {}, [WHOLE]),
    "four columns": (CONLL2003, {}, [WHOLE]),
    "two documents": (CONLL2003 + "\n" + CONLL2003, {}, [WHOLE, WHOLE]),
    "mark without a blank line": ("-DOCSTART- O\n" + TAB + "-DOCSTART- O\n" + TAB, {}, [WHOLE] * 2),
    "windows": (TAB.replace("\n", "\r\n") + "\r\n" + TAB, {}, [WHOLE, WHOLE]),
    "byte-order mark": ("\ufeff" + TAB, {}, [WHOLE]),
    "no newline at the end": (TAB.rstrip(), {}, [WHOLE]),
    "blank lines of blanks": (" \n\t\n" + TAB + " \t \n\n" + TAB, {}, [WHOLE, WHOLE]),
    "blanks after the tag": (TAB.replace("\n", " \t\n"), {}, [WHOLE]),
    "other columns": ("1\tO\tEU\n2\tO\tsagt\n", {"word": 2, "tag": 1}, [("EU sagt", [])]),
    "tag before word": ("B-ORG EU\nO sagt\n", {"word": 1, "tag": 0},
                        [("EU sagt", [("EU", "ORG")])]),
    "comments": ("# id = 7\n# text = O\n" + TAB + "\n# id = 8\n\n" + TAB, {}, [WHOLE, WHOLE]),
    "comments of blanks": ("# id 7 8\n" + TAB.replace("\t", " "), {}, [WHOLE]),
    "comment as long as a word's line": ("# seven\n" + TAB.replace("\t", " "), {}, [WHOLE]),
    "# is a word": ("# O\n1 O\n\n# B-X\n", {}, [("# 1", []), ("#", [("#", "X")])]),
    "# is a word, tabs": ("a\tO\n\n#\tO\n1\tO\n", {}, [("a", []), ("# 1", [])]),
    "# inside": ("a\tO\n#\tO\n#x\tB-X\n", {}, [("a # #x", [("#x", "X")])]),
    "dashes are words": ("-\tO\n--\tO\n", {}, [("- --", [])]),
    "tab file with blanks in a word": ("N Y\tB-LOC\n", {}, [("N Y", [("N Y", "LOC")])]),
    "no-break space in a blank file": ("a\u00a0b O\n", {}, [("a\u00a0b", [])]),
    "chinese": ("海\tO\n厦\tB-LOC\n门\tI-LOC\n\u3000\tO\n", {},
                [("海厦门\u3000", [("厦门", "LOC")])]),
    "iob1": ("a I-X\nb B-X\nc O\n", {"scheme": "iob1"}, [("a b c", [("a", "X"), ("b", "X")])]),
    "bioes": ("a S-X\nb B-X\nc E-X\n", {"scheme": "bioes"},
              [("a b c", [("a", "X"), ("b c", "X")])]),
    "repaired": ("a I-X\nb I-Y\n", {"repair": True}, [("a b", [("a", "X"), ("b", "Y")])]),
}  # fmt: skip


@pytest.mark.parametrize("content, tagged, expected", GOOD.values(), ids=GOOD)
def test_sentences(tmp_path, content, tagged, expected):
    assert told_all(write(tmp_path, "a.conll", content), **tagged) == expected


OK = "ok\tO\n\n"
BAD = {
    "too few columns": (OK + "a\tO\nb\nc\tO\n", {}, (4, "1 column, the first word's line (1)")),
    "too many columns": (OK + "a\tx\tO\n", {}, (3, "3 columns, the first word's line (1) has 2")),
    "# without a tag inside": (OK + "a\tO\n#\nb\tO\n", {}, (4, "1 column, the first")),
    "an empty word": (OK + "a\tO\n\tO\n", {}, (4, "an empty word")),
    "no tag": (OK + "a\t\n", {}, (3, "1 column, the first")),
    "tag without prefix": (OK + "a\tO\nb\tPER\n", {}, (4, "tag 'PER' has no prefix")),
    "unknown prefix": (OK + "a\tU-PER\n", {}, (3, "tag 'U-PER' has the unknown prefix 'U'")),
    "no type": (OK + "a\tB-\n", {}, (3, "tag 'B-' names no type")),
    "I after O": (OK + "a\tO\nb\tI-X\n", {}, (4, "I-X after O is not iob2")),
    "I first": (OK + "# 1\na\tI-X\n", {}, (4, "I-X at the beginning is not iob2")),
    "not closed": (OK + "a\tB-X\n\n", {"scheme": "bioes"}, (3, "B-X at the end is not bioes")),
    "no prefix is never repaired": (OK + "a\tX\n", {"repair": True}, (3, "tag 'X' has no prefix")),
    "latin-1": (OK.encode() + b"a\tO\ncaf\xe9\tO\n", {}, (4, "not valid UTF-8 (byte 0xe9)")),
    "latin-1 tag": (OK.encode() + b"a\tB-\xe9\n", {}, (3, "not valid UTF-8 (byte 0xe9)")),
    "NUL": (OK + "a\0\tO\n", {}, (3, "a NUL character")),
}  # fmt: skip


@pytest.mark.parametrize("content, tagged, expected", BAD.values(), ids=BAD)
def test_a_bad_sentence_costs_itself_alone_and_names_its_line(tmp_path, content, tagged, expected):
    end = b"\n\nlast\tO\n"
    raw = (content if isinstance(content, bytes) else content.encode()) + end
    path = write(tmp_path, "a.conll", raw)
    first, bad, last = read(path, tagged=Tagged(**tagged))
    assert (told(first), told(last)) == (("ok", []), ("last", []))
    assert (bad.file, bad.line) == (str(path), expected[0])
    assert bad.reason.startswith(expected[1])


FILES = {
    "empty": ("", {}, "no line of it has a word"),
    "blank lines and marks only": ("\n-DOCSTART- O\n \n", {}, "no line of it has a word"),
    "one column": ("a\nb\n", {}, "a.conll:1: one column only, and a word needs a tag.*columns"),
    "no such column": ("\na O\n", {"tag": 3}, "a.conll:2: no column 3 for the tag: there are 2"),
    "negative too": ("a O\n", {"word": -3}, "no column -3 for the word"),
    "word is tag": ("a O\n", {"word": 1}, "column 1 for word and tag"),
    "utf-16": ("a O\n".encode("utf-16"), {}, "iconv -f UTF-16"),
    "mac": ("a O\rb O\r", {}, "carriage return alone"),
    "no blank lines": ("a O\n" * 100_001, {}, "a.conll:100001: a sentence of over 100,000 words"),
}  # fmt: skip


@pytest.mark.parametrize("content, tagged, message", FILES.values(), ids=FILES)
def test_files_that_are_refused(tmp_path, content, tagged, message):
    with pytest.raises(BadInput, match=message):
        told_all(write(tmp_path, "a.conll", content), **tagged)


def test_words_and_lines_of_a_row(tmp_path):
    path = write(tmp_path, "a.conll", "\n\nJosé\tO\nist\tO\n\n# 1\nda\tO")
    first, second = read(path, tagged=Tagged())
    assert (first.line, second.line) == (3, 7)
    assert (first.spans.word_starts, first.spans.word_ends) == ([0, 6], [5, 9])


@pytest.mark.parametrize("pack, ending", [(gzip.compress, ".gz"), (bz2.compress, ".bz2")])
def test_packed_and_by_ending(tmp_path, pack, ending):
    path = write(tmp_path, "a.bio" + ending, pack(TAB.encode()))
    assert [told(row) for row in read(path, tagged=Tagged())] == [WHOLE]


def test_where_conll_files_are(tmp_path):
    for name in ("a.conll", "b.iob2.gz", "c.iob", "d.bio", "e.txt", "README.md"):
        write(tmp_path, name, TAB)
    names = [path.name for path in expand(tmp_path)]
    assert names == ["a.conll", "b.iob2.gz", "c.iob", "d.bio"]
    assert [path.name for path in expand(tmp_path, "conll")] == [*names, "e.txt"]


WRONG_TASK = {
    "tags in csv": ("a.csv", Tagged(), "csv is no format for `task: tag`"),
    "tags in txt": ("a.txt", Tagged(), "write `format: conll`"),
    "classes in conll": ("a.conll", None, "conll is a format for `task: tag` only"),
}


@pytest.mark.parametrize("name, tagged, message", WRONG_TASK.values(), ids=WRONG_TASK)
def test_a_format_of_another_task(tmp_path, name, tagged, message):
    path = write(tmp_path, name, TAB)
    with pytest.raises(BadInput, match=message):
        read(path, tagged=tagged)
    with pytest.raises(BadInput, match=message):
        require(path, [], tagged=tagged)


def test_a_column_beside_words_and_tags_is_not_there(tmp_path):
    with pytest.raises(BadInput, match="no column 'source'; there are 'sentence'"):
        require(write(tmp_path, "a.conll", TAB), ["source"], None, Tagged(text="sentence"))


def test_memory_does_not_grow_with_the_file(tmp_path):
    def peak(sentences):
        path = write(tmp_path, "a.conll", "\n".join([TAB] * sentences))
        tracemalloc.start()
        assert sum(isinstance(row, Row) for row in read(path, tagged=Tagged())) == sentences
        top = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return top

    peak(10)
    assert peak(10_000) < peak(1_000) + 200_000
