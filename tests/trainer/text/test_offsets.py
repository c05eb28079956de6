"""Spans point into the caller's bytes, whatever normalisation did to them."""

import string
import unicodedata

import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from trainer.text.normalize import normalize
from trainer.text.tokenize import PieceTokenizer

ODD = (
    string.ascii_letters
    + "éÉßİΣσΑẞ한中文😀 .,'-\t\0\x01\xad\u0301\u0327\u200b\u200d\ufe0f"
    + "\ufffd\uffff\u2028\u2260\u037e\ue000\u09cb"
)


def spans(tokenizer: PieceTokenizer, texts: list[bytes]) -> list[list[tuple[str, bytes]]]:
    """For each text its pieces, and the caller's bytes that each came from."""
    found = tokenizer.tokenize(tf.constant(texts, tf.string))
    strings = tokenizer.piece_strings(found.ids)
    rows = zip(strings.to_list(), found.starts.to_list(), found.ends.to_list(), strict=True)
    return [
        [(piece.decode(), text[start:end]) for piece, start, end in zip(*row, strict=True)]
        for text, row in zip(texts, rows, strict=True)
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Hi, you", [("hi", "Hi"), (",", ","), ("you", "you")]),
        ("¿CAFÉ?", [("¿", "¿"), ("cafe", "CAFÉ"), ("?", "?")]),
        ("cafe\u0301 ok", [("cafe", "cafe\u0301"), ("ok", "ok")]),
        ("e\u0301e\u0301lan", [("eel", "e\u0301e\u0301l"), ("##an", "an")]),
        ("soft\xadware\xad ok", [("software", "soft\xadware"), ("ok", "ok")]),
        ("\u200b\u0301ok\u200b", [("ok", "ok")]),
        ("İstanbul", [("istanbul", "İstanbul")]),
        ("中文x", [("中", "中"), ("文", "文"), ("x", "x")]),
        ("각", [("ᄀ", "각"), ("##ᅡ", "각"), ("##ᆨ", "각")]),
        ("a\u2260\u0301b", [("a", "a"), ("=", "\u2260\u0301"), ("b", "b")]),
        ("é" * 101 + "!", [("[UNK]", "é" * 101), ("!", "!")]),
        ("x" * 101 + "!", [("[UNK]", "x" * 101), ("!", "!")]),
        ("x\uffff\U0001fffe ok", [("[UNK]", "x\uffff\U0001fffe"), ("ok", "ok")]),
        (b"\xff\xe4\xb8ok\xed\xa0\x80 \xc3ok", [("ok", b"ok"), ("ok", b"ok")]),
        (b"o\xffk", [("ok", b"o\xffk")]),
        ("\ufeffok\0ok", [("ok", "ok"), ("##ok", "ok")]),
    ],
    ids=[
        "plain",
        "accents",
        "a decomposed accent belongs to its letter",
        "decomposed accents between pieces",
        "removed inside a word, not after it",
        "removed around a word",
        "a character that becomes two",
        "CJK",
        "parts of a character get all of it",
        "punctuation out of a decomposition",
        "too long a word, accented",
        "too long a word, plain",
        "noncharacters",
        "invalid UTF-8 around words",
        "invalid UTF-8 in a word",
        "byte order mark and NUL",
    ],
)
def test_spans(
    uncased: PieceTokenizer, text: str | bytes, expected: list[tuple[str, str | bytes]]
) -> None:
    source = text.encode() if isinstance(text, str) else text
    wanted = [(piece, s.encode() if isinstance(s, str) else s) for piece, s in expected]
    assert spans(uncased, [source]) == [wanted]


def test_spans_cased(write_vocabulary) -> None:
    tokenizer = PieceTokenizer(str(write_vocabulary("Caf ##é ##e\u0301 !")), lower_case=False)
    found = spans(tokenizer, ["\xadCafé! Cafe\u0301".encode()])
    expected = [("Caf", "Caf"), ("##é", "é"), ("!", "!"), ("Caf", "Caf"), ("##e\u0301", "e\u0301")]
    assert found == [[(piece, source.encode()) for piece, source in expected]]


def test_rows_do_not_disturb_each_other(uncased: PieceTokenizer) -> None:
    texts = ["plain", "é\u0301", "", "\u0301ok", b"ok\xe4\xb8", b"\xadok", "中", "x" * 101]
    texts = [text.encode() if isinstance(text, str) else text for text in texts]
    alone = [spans(uncased, [text])[0] for text in texts]
    assert spans(uncased, texts) == alone
    assert spans(uncased, texts[::-1]) == alone[::-1]


def is_one_character(source: bytes) -> bool:
    """Whether normalisation leaves, or decomposes, a single one of the characters."""
    dropped = ("Mn", "Cc", "Cf")
    return sum(unicodedata.category(c) not in dropped for c in source.decode()) == 1


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text(st.sampled_from(ODD) | st.characters(codec="utf-8"), max_size=20)))
def test_a_span_normalised_gives_its_piece(uncased: PieceTokenizer, texts: list[str]) -> None:
    found = [pair for row in spans(uncased, [text.encode() for text in texts]) for pair in row]
    sources = normalize(tf.constant([source for _, source in found], tf.string), lower_case=True)
    for (piece, source), whole in zip(found, sources.numpy(), strict=True):
        # A sigma is final in its word or not, which a span of one piece cannot know.
        ours, theirs = (t.replace("ς", "σ") for t in (piece.removeprefix("##"), whole.decode()))
        is_part = is_one_character(source) and ours in theirs
        assert piece == "[UNK]" or ours == theirs or is_part


@settings(max_examples=60, deadline=None)
@given(st.lists(st.binary(max_size=30) | st.text(ODD).map(str.encode), max_size=20))
def test_spans_are_in_order_and_inside_the_text(
    uncased: PieceTokenizer, texts: list[bytes]
) -> None:
    found = uncased.tokenize(tf.constant(texts, tf.string))
    rows = zip(texts, found.starts.to_list(), found.ends.to_list(), strict=True)
    for text, starts, ends in rows:
        assert starts == sorted(starts) and ends == sorted(ends)
        assert all(0 <= start < end <= len(text) for start, end in zip(starts, ends, strict=True))
