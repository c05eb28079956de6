"""Ids in the graph are the reference's ids, on real texts and on hard ones."""

from pathlib import Path

import pytest
import reference_tokenizer as reference
import tensorflow as tf

from trainer.text.tokenize import PieceTokenizer
from trainer.text.vocabulary import Vocabulary

HARD = {
    "empty": "",
    "spaces": " \t\n\r ",
    "accents": "Crème brûlée, déjà-vu; ÅNGSTRÖM",
    "decomposed accents": "Cre\u0300me bru\u0302le\u0301e",
    "sharp s": "Straße STRASSE ẞ",
    "dotted capital i": "İSTANBUL ISTANBUL ı",
    "final sigma": "ΟΔΥΣΣΕΥΣ ΟΔΟΣ. Σ ΑΣ\u0301Α",
    "kelvin and angstrom signs": "273 \u212a, 5 \u212b, 3 \u2126",
    "a with stroke": "ȺȾ Ⱥ",
    "titlecase digraphs": "ǅ ǈ Ǆ",
    "lone combining mark": "\u0301 a \u0301\u0302 b\u0301",
    "combining mark after space and CJK": "a \u0301b 中\u0301c",
    "soft hyphen": "soft\u00adware \u00ad",
    "zero-width": "zero\u200bwidth \u200b\u200c\u200d\u2060\ufeff",
    "replacement character": "a\ufffdb \ufffd",
    "unassigned": "a\u0378b \u0378 \U000e0fff",
    "private use": "a\ue000b \U000f0000",
    "noncharacters": "a\uffffb \U0001fffe",
    "CJK": "我爱BERT。中文\u3400\uf900\U0002a6d6",
    "CJK compatibility": "\uf900\u2f00\U0002f800",
    "kana and Hangul": "カタカナ ひらがな 한국어 \u1112\u1161\u11ab",
    "emoji": "👩\u200d👩\u200d👧 ❤\ufe0f 👍🏽 🇩🇪",
    "control characters": "a\x01b\x1fc\x7fd\x80e\x85f",
    "NUL": "a\0b \0\0",
    "whitespace": "a\x0bb\x0cc\x1cd\xa0e\u1680f\u2003g\u2028h\u2029i\u202fj\u3000k",
    "right to left": "שָׁלוֹם مَرْحَبًا \u200fabc\u200e",
    "ASCII punctuation": "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~",
    "punctuation": "“a”—b… ¿c? ·d؛ «e» §f†",
    "symbols": "a²+b²≠c² ≤ €5 £ ¥ © ° ´ ¨",
    "decomposes to punctuation": "a\u037eb a\u2260b a\u1fefb a\u0387b",
    "decomposes to space": "a\u2000b\u2001c",
    "Devanagari": "हिन्दी में",
    "reordered marks": "e\u0327\u0301 e\u0301\u0327 \U0001d158\U0001d16d\U0001d165",
    "special pieces": "[CLS] [SEP] [UNK] ##ing [unused1]",
    "99 letters": "a" * 99,
    "100 letters": "a" * 100,
    "101 letters": "a" * 101,
    "200 letters": "a" * 200,
    "201 letters": "a" * 201,
    "60 Cyrillic": "я" * 60,
    "100 accented": "é" * 100 + " " + "e\u0301" * 100,
    "101 accented": "é" * 101,
    "101 CJK": "中" * 101,
    "100 emoji, 400 bytes": "😀" * 100,
    "101 emoji, 404 bytes": "😀" * 101,
    "33 Hangul, 99 letters": "한" * 33,
    "34 Hangul, 102 letters": "한" * 34,
    "invalid UTF-8": b"a\xff\xfeb \xc3 \xe4\xb8 \xf0\x9f\x98 \xc0\x80 \xed\xa0\x80 c\x80",
    "100 kB plain": "The film, it's fine. " * 4_762,
    "100 kB accented": "Ça va très bien… " * 5_000,
    "100 kB, one word": "é" * 50_000,
}


def pieces(tokenizer: PieceTokenizer, texts: list[str | bytes]) -> list[list[str]]:
    found = tokenizer.piece_strings(tokenizer.tokenize(tf.constant(texts, tf.string)).ids)
    return [[piece.decode() for piece in row] for row in found.to_list()]


@pytest.mark.parametrize("name", HARD)
def test_hard_cases_uncased(
    name: str, uncased: PieceTokenizer, uncased_vocabulary: Vocabulary
) -> None:
    expected = reference.tokenize(HARD[name], uncased_vocabulary.ids, lower_case=True)
    assert pieces(uncased, [HARD[name]]) == [expected]


@pytest.mark.parametrize("name", HARD)
def test_hard_cases_cased(name: str, cased: PieceTokenizer, cased_vocabulary: Vocabulary) -> None:
    expected = reference.tokenize(HARD[name], cased_vocabulary.ids, lower_case=False)
    assert pieces(cased, [HARD[name]]) == [expected]


def test_neighbours_in_a_batch_do_not_matter(
    uncased: PieceTokenizer, uncased_vocabulary: Vocabulary
) -> None:
    texts = list(HARD.values())
    expected = [reference.tokenize(text, uncased_vocabulary.ids, lower_case=True) for text in texts]
    assert pieces(uncased, texts) == expected


def pieces_of_all(tokenizer: PieceTokenizer, texts: list[str]) -> list[list[str]]:
    batches = (texts[first : first + 1000] for first in range(0, len(texts), 1000))
    return [row for batch in batches for row in pieces(tokenizer, [*batch])]


def test_all_reviews_uncased(
    reviews: list[str], reference_pieces: list[list[str]], uncased: PieceTokenizer
) -> None:
    assert pieces_of_all(uncased, reviews) == reference_pieces


def test_all_reviews_cased(
    reviews: list[str], cased: PieceTokenizer, cased_vocabulary: Vocabulary
) -> None:
    expected = [reference.tokenize(text, cased_vocabulary.ids, False) for text in reviews]
    assert pieces_of_all(cased, reviews) == expected


def test_ids_are_the_lines_of_the_vocabulary(
    uncased: PieceTokenizer, uncased_vocabulary: Vocabulary
) -> None:
    ids = uncased.tokenize(tf.constant(["unaffable films"])).ids.to_list()[0]
    assert [uncased_vocabulary.tokens[number] for number in ids] == [
        "una",
        "##ffa",
        "##ble",
        "films",
    ]


@pytest.mark.parametrize(
    ("lower_case", "expected"),
    [
        (True, [["un", "##able", "cafe", "!"], [], ["[UNK]", "中"]]),
        (False, [["Un", "##able", "Café", "!"], [], ["[UNK]", "中"]]),
    ],
    ids=["uncased", "cased"],
)
def test_worked_by_hand(write_vocabulary, lower_case: bool, expected: list[list[str]]) -> None:
    path = write_vocabulary("un Un ##able cafe Café ! 中")
    tokenizer = PieceTokenizer(str(path), lower_case)
    assert pieces(tokenizer, ["Unable Café!", "", "unknown中"]) == expected


def test_the_longest_piece_of_the_vocabulary_is_found(write_vocabulary) -> None:
    tokenizer = PieceTokenizer(str(write_vocabulary("é яяяяя ##яяяяя я")), lower_case=False)
    assert pieces(tokenizer, ["яяяяя", "яяяяяяяяяя"]) == [["яяяяя"], ["яяяяя", "##яяяяя"]]


def test_no_rows(uncased: PieceTokenizer) -> None:
    found = uncased.tokenize(tf.constant([], tf.string))
    assert [values.to_list() for values in found] == [[], [], [], []]
    assert {values.dtype for values in found} == {tf.int32}


def test_piece_strings_of_an_unknown_id_and_of_a_dense_tensor(uncased: PieceTokenizer) -> None:
    found = uncased.piece_strings(tf.constant([[101, 30_522]], tf.int32))
    assert found.numpy().tolist() == [[b"[CLS]", b"[UNK]"]]


def test_two_vocabularies_in_one_process(write_vocabulary, tmp_path: Path) -> None:
    """Tables are shared by name: the same file twice is one table, a changed file another."""
    path = write_vocabulary("a b")
    first, same = PieceTokenizer(str(path), True), PieceTokenizer(str(path), True)
    del same
    other = PieceTokenizer(str(write_vocabulary("b a")), True)
    assert first.tokenize(tf.constant(["a b"])).ids.to_list() == [[5, 6]]
    assert other.tokenize(tf.constant(["a b"])).ids.to_list() == [[6, 5]]


def test_first_pieces_are_where_words_begin(uncased: PieceTokenizer) -> None:
    found = uncased.tokenize(tf.constant(["", "a unaffable, b" + " " + "q" * 101]))
    for row, first in zip(uncased.piece_strings(found.ids).to_list(), found.first, strict=True):
        assert [not piece.startswith(b"##") for piece in row] == first.numpy().tolist()
