"""The reference tokenizer, held to examples worked by hand and to Hugging Face `tokenizers`.

Where the two differ we follow the reference: none of the differences below occurs in the 13,905
review texts, so no encoder of these tests has learned Hugging Face's reading of them.
"""

import pytest
import reference_tokenizer as reference
from tokenizers import BertWordPieceTokenizer, normalizers, pre_tokenizers

from trainer.text.vocabulary import Vocabulary


@pytest.mark.parametrize(
    ("text", "uncased", "cased"),
    [
        ("Don't  stop", "don ' t stop", "Don ' t stop"),
        ("naïve CAFÉ", "naive cafe", "naïve CAFÉ"),
        ("re-do_it $5", "re - do _ it $ 5", "re - do _ it $ 5"),
        ("ab中文c", "ab 中 文 c", "ab 中 文 c"),
        ("a\0b\ufffdc\u200bd\xade", "abcde", "abcde"),
        ("a\tb\nc\rd\xa0e\u3000f\u2028g", "a b c d e f g", "a b c d e f g"),
        ("ΟΔΟΣ ΣΑ", "οδος σα", "ΟΔΟΣ ΣΑ"),
        (b"a\xff\xe4\xb8b", "ab", "ab"),
        ("", "", ""),
        (" \u0301 ", "", "\u0301"),
        ("a\u2260b", "a = b", "a\u2260b"),
    ],
    ids=[
        "apostrophe",
        "accents",
        "ASCII punctuation",
        "CJK",
        "removed characters",
        "whitespace",
        "final sigma",
        "invalid UTF-8",
        "empty",
        "lone mark",
        "punctuation comes out of decomposition, not before",
    ],
)
def test_words(text: str | bytes, uncased: str, cased: str) -> None:
    assert reference.words(text, lower_case=True) == uncased.split()
    assert reference.words(text, lower_case=False) == cased.split()


@pytest.mark.parametrize(
    ("word", "pieces"),
    [
        ("greatest", ["great", "##est"]),
        ("estgreat", ["[UNK]"]),
        ("great" * 20, ["great"] + ["##great"] * 19),
        ("great" * 20 + "e", ["[UNK]"]),
    ],
    ids=["longest first", "no piece fits", "100 characters", "101 characters"],
)
def test_wordpieces(word: str, pieces: list[str]) -> None:
    vocabulary = dict.fromkeys(("g", "great", "##great", "##est", "##e"), 0)
    assert reference.wordpieces(word, vocabulary) == pieces


def hugging_face_pieces(
    texts: list[str], vocabulary: Vocabulary, lower_case: bool
) -> list[list[str]]:
    theirs = BertWordPieceTokenizer(vocabulary.path, lowercase=lower_case)
    return [encoding.tokens for encoding in theirs.encode_batch(texts, add_special_tokens=False)]


def test_hugging_face_agrees_on_all_reviews(
    reviews: list[str], reference_pieces: list[list[str]], uncased_vocabulary: Vocabulary
) -> None:
    assert hugging_face_pieces(reviews, uncased_vocabulary, lower_case=True) == reference_pieces


def test_hugging_face_agrees_on_all_reviews_cased(
    reviews: list[str], cased_vocabulary: Vocabulary
) -> None:
    ours = [reference.tokenize(text, cased_vocabulary.ids, False) for text in reviews]
    assert hugging_face_pieces(reviews, cased_vocabulary, lower_case=False) == ours


def hugging_face_words(text: str, lower_case: bool) -> list[str]:
    normalized = normalizers.BertNormalizer(lowercase=lower_case).normalize_str(text)
    return [word for word, _ in pre_tokenizers.BertPreTokenizer().pre_tokenize_str(normalized)]


@pytest.mark.parametrize(
    ("text", "lower_case", "ours", "theirs"),
    [
        ("ΟΔΟΣ", True, "οδος", "οδοσ"),
        ("a\ue000b", True, "a\ue000b", "ab"),
        ("a\U000f0000b", False, "a\U000f0000b", "ab"),
        ("a\U0002b820b", True, "a \U0002b820 b", "a\U0002b820b"),
        ("a\U0002b91fb", False, "a \U0002b91f b", "a\U0002b91fb"),
        ("a\u07fdb", True, "ab", "a\u07fdb"),
        ("a\u08e2b", True, "ab", "a\u08e2b"),
        ("a\u2e43b", False, "a \u2e43 b", "a\u2e43b"),
        ("a\u166db", False, "a\u166db", "a \u166d b"),
        ("a\U000111c9b", False, "a\U000111c9b", "a \U000111c9 b"),
        ("\U00011938", True, "\U00011935\U00011930", "\U00011938"),
    ],
    ids=[
        "final sigma: they lower character by character",
        "private use: they remove it",
        "private use, plane 15",
        "CJK extension E: their range begins at U+2B920",
        "CJK extension E, last of those",
        "accents younger than Unicode 8 stay",
        "format characters younger than Unicode 8 stay",
        "punctuation younger than Unicode 8 does not split",
        "no longer punctuation since Unicode 12",
        "no longer punctuation since Unicode 11",
        "a decomposition of Unicode 13",
    ],
)
def test_hugging_face_differs(text: str, lower_case: bool, ours: str, theirs: str) -> None:
    assert reference.words(text, lower_case) == ours.split()
    assert hugging_face_words(text, lower_case) == theirs.split()


def test_a_special_piece_in_the_text_is_text(uncased_vocabulary: Vocabulary) -> None:
    """Hugging Face's reads it as the special piece: whoever writes the text can end it early."""
    theirs = BertWordPieceTokenizer(uncased_vocabulary.path)
    assert theirs.encode("a [SEP] b", add_special_tokens=False).tokens == ["a", "[SEP]", "b"]
    ours = reference.tokenize("a [SEP] b", uncased_vocabulary.ids, lower_case=True)
    assert ours == ["a", "[", "sep", "]", "b"]
