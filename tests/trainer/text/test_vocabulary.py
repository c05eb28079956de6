"""Vocabulary files: read as TensorFlow reads them, refused with line and fix."""

from pathlib import Path

import pytest

from trainer.errors import BadInput
from trainer.text.vocabulary import Vocabulary

SPECIAL = b"[PAD]\n[UNK]\n[CLS]\n[SEP]\n"


@pytest.mark.parametrize(
    "content",
    [
        SPECIAL + b"the\n##s\n",
        SPECIAL + b"the\n##s",
        (SPECIAL + b"the\n##s\n").replace(b"\n", b"\r\n"),
    ],
    ids=["newline at the end", "none at the end", "windows line ends"],
)
def test_reads_one_piece_a_line(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "vocab.txt").write_bytes(content)
    vocabulary = Vocabulary.read(str(tmp_path / "vocab.txt"))
    assert vocabulary.tokens == ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "the", "##s"]
    assert (vocabulary.id("the"), vocabulary.id("##s")) == (4, 5)


def test_a_unicode_line_separator_is_no_line_end(tmp_path: Path) -> None:
    (tmp_path / "vocab.txt").write_bytes(SPECIAL + "a\u2028b\n\u0085\nc\n".encode())
    assert Vocabulary.read(str(tmp_path / "vocab.txt")).id("c") == 6


def test_special_pieces_are_found_by_name_wherever_they_are(tmp_path: Path) -> None:
    path = tmp_path / "vocab.txt"
    path.write_text("the\n[MASK]\n[SEP]\n[UNK]\n[PAD]\n[CLS]\n")
    found = Vocabulary.read(str(path))
    assert (found.mask, found.sep, found.unk, found.pad, found.cls) == (1, 2, 3, 4, 5)


@pytest.mark.parametrize(
    ("content", "where", "found"),
    [
        (b"", "vocab.txt", "empty"),
        (b"\n\n", "vocab.txt", "empty"),
        (SPECIAL + b"a\n\nb\n", "vocab.txt:6", "empty line"),
        (SPECIAL + b"a\nb\na\n", "vocab.txt:7", "has a 2 times, first in line 5"),
        (b"[PAD]\n[UNK]\nthe\n", "vocab.txt", "no [CLS], [SEP]"),
        (SPECIAL + b"a\n\xff\n", "vocab.txt:6", "not UTF-8"),
    ],
    ids=["empty", "only newlines", "empty line", "twice", "special missing", "not UTF-8"],
)
def test_refuses(tmp_path: Path, content: bytes, where: str, found: str) -> None:
    path = tmp_path / "vocab.txt"
    path.write_bytes(content)
    with pytest.raises(BadInput) as error:
        Vocabulary.read(str(path))
    assert error.value.where == str(tmp_path / where)
    assert found in error.value.found
    assert error.value.fix


def test_refuses_a_piece_that_is_absent(tmp_path: Path) -> None:
    (tmp_path / "vocab.txt").write_bytes(SPECIAL)
    with pytest.raises(BadInput, match=r"no \[MASK\]"):
        _ = Vocabulary.read(str(tmp_path / "vocab.txt")).mask


def test_refuses_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="there is no vocabulary"):
        Vocabulary.read(str(tmp_path / "vocab.txt"))
