"""BERT's tokenization in plain Python, written from its public description for the tests.

It follows google-research/bert's `BasicTokenizer` and `WordpieceTokenizer` as described in that
project's README and in the BERT paper's appendix, with one change: a word longer than
100 characters is [UNK], which is Hugging Face's limit and not Google's 200.
"""

import unicodedata

MAX_CHARACTERS = 100

_CJK = (
    (0x4E00, 0x9FFF),
    (0x3400, 0x4DBF),
    (0x20000, 0x2A6DF),
    (0x2A700, 0x2B73F),
    (0x2B740, 0x2B81F),
    (0x2B820, 0x2CEAF),
    (0xF900, 0xFAFF),
    (0x2F800, 0x2FA1F),
)


def tokenize(text: bytes | str, vocabulary: dict[str, int], lower_case: bool) -> list[str]:
    """The pieces of a text."""
    return [piece for word in words(text, lower_case) for piece in wordpieces(word, vocabulary)]


def words(text: bytes | str, lower_case: bool) -> list[str]:
    """The words of a text, normalised; punctuation and CJK characters are words."""
    if isinstance(text, bytes):
        text = text.decode("utf-8", "replace")
    cleaned = "".join(_clean(character) for character in text)
    found: list[str] = []
    for token in cleaned.split():
        found += _split_on_punctuation(_fold(token) if lower_case else token)
    return " ".join(found).split()


def wordpieces(word: str, vocabulary: dict[str, int]) -> list[str]:
    """The longest pieces from the left; [UNK] where a rest has none."""
    if len(word) > MAX_CHARACTERS:
        return ["[UNK]"]
    pieces: list[str] = []
    start = 0
    while start < len(word):
        prefix = "##" if start else ""
        ends = range(len(word), start, -1)
        end = next((end for end in ends if prefix + word[start:end] in vocabulary), None)
        if end is None:
            return ["[UNK]"]
        pieces.append(prefix + word[start:end])
        start = end
    return pieces


def _clean(character: str) -> str:
    """A space for whitespace, nothing for control characters, spaces around CJK."""
    category = unicodedata.category(character)
    if character in "\t\n\r" or category == "Zs":
        return " "
    if character in "\0\N{REPLACEMENT CHARACTER}" or category in ("Cc", "Cf"):
        return ""
    if any(first <= ord(character) <= last for first, last in _CJK):
        return f" {character} "
    return character


def _fold(token: str) -> str:
    """Lower case without accents."""
    decomposed = unicodedata.normalize("NFD", token.lower())
    return "".join(c for c in decomposed if unicodedata.category(c) != "Mn")


def _split_on_punctuation(token: str) -> list[str]:
    """The token's parts; every punctuation character is one."""
    return "".join(f" {c} " if is_punctuation(c) else c for c in token).split(" ")


def is_punctuation(character: str) -> bool:
    """All of ASCII but letters, digits, space and control; the categories P* elsewhere."""
    if "!" <= character <= "~":
        return not character.isalnum()
    return unicodedata.category(character).startswith("P")
