"""Normalisation and splitting in the graph, character by character against the reference."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import reference_tokenizer as reference
import tensorflow as tf

from trainer.text.normalize import is_plain, normalize
from trainer.text.words import split_words

# All characters that the graph folds otherwise than Python: TensorFlow brings its own Unicode data.
KNOWN_DIFFERENCES = {
    # A decomposition of Unicode 13 that TensorFlow Text 2.16 lacks and 2.21 has.
    0x11938,
    # Capitals of Unicode 14: TensorFlow 2.16 and 2.21 do not lower them, Python does from 3.11 on.
    *(0x2C2F, 0xA7C0, 0xA7D0, 0xA7D6, 0xA7D8),
    *range(0x10570, 0x1057B),
    *range(0x1057C, 0x1058B),
    *range(0x1058C, 0x10593),
    *range(0x10594, 0x10596),
    # Decompositions of Unicode 16: TensorFlow Text 2.21 has them, Python 3.13 does not.
    *(0x105C9, 0x105E4, 0x11383, 0x11385, 0x1138E, 0x11391, 0x113C5, 0x113C7, 0x113C8),
    *range(0x16121, 0x16129),
    *range(0x16D68, 0x16D6B),
}


def graph_words(texts: list[str | bytes], lower_case: bool) -> list[list[str]]:
    words = split_words(normalize(tf.constant(texts, tf.string), lower_case)).text
    return [[word.decode() for word in row] for row in words.to_list()]


@pytest.mark.parametrize(
    ("text", "uncased", "cased"),
    [
        (b"Plain, I say.\t\n", b"plain, i say.\t\n", b"Plain, I say.\t\n"),
        ("É", b"e", "É".encode()),
        (b"A\0B\x01C\x7fD", b"abcd", b"ABCD"),
        ("A\xadB\u200bC\u200dD\ufeffE", b"abcde", b"ABCDE"),
        (b"A\xffB\xe4\xb8C\xed\xa0\x80D\xf4\x90\x80\x80E", b"abcde", b"ABCDE"),
        ("A\ufffdB", b"ab", b"AB"),
        ("İI\u0307", b"ii", "İI\u0307".encode()),
        ("ßẞ", "ßß".encode(), "ßẞ".encode()),
        ("ΑΣ ΑΣΑ ΑΣ\u0301.", "ας ασα ας.".encode(), "ΑΣ ΑΣΑ ΑΣ\u0301.".encode()),
        ("…´\u2011ﬁ²", "…´\u2011ﬁ²".encode(), "…´\u2011ﬁ²".encode()),
        ("", b"", b""),
    ],
    ids=[
        "plain",
        "accent",
        "control",
        "format",
        "invalid UTF-8",
        "replacement character",
        "dotted capital i",
        "sharp s is not folded",
        "final sigma",
        "compatibility characters stay",
        "empty",
    ],
)
def test_normalize(text: str | bytes, uncased: bytes, cased: bytes) -> None:
    assert normalize(tf.constant([text]), lower_case=True).numpy() == [uncased]
    assert normalize(tf.constant([text]), lower_case=False).numpy() == [cased]


@pytest.mark.parametrize(
    ("text", "plain"),
    [("A b~\t\n\r", True), ("", True), ("é", False), ("\0", False), ("\x7f", False)],
    ids=["ASCII", "empty", "accent", "NUL", "DEL"],
)
def test_plain_is_what_normalisation_maps_byte_to_byte(text: str, plain: bool) -> None:
    assert is_plain(tf.constant([text])).numpy() == [plain]


def characters() -> list[int]:
    """All code points but the middle of ten planes that Unicode has never used."""
    surrogates, unused = range(0xD800, 0xE000), range(0x40100, 0xDFF00)
    return [point for point in range(0x110000) if point not in surrogates and point not in unused]


@pytest.mark.parametrize("lower_case", [True, False], ids=["uncased", "cased"])
def test_every_character_is_read_as_the_reference_does(lower_case: bool) -> None:
    points = characters()
    texts = [f"a{chr(point)}B " for point in points]
    in_graph = graph_words([*texts], lower_case)
    differing = {
        point
        for point, text, words in zip(points, texts, in_graph, strict=True)
        if words != reference.words(text, lower_case)
    }
    assert differing <= (KNOWN_DIFFERENCES if lower_case else set())


def test_no_rows() -> None:
    assert normalize(tf.constant([], tf.string), lower_case=True).shape == [0]
    assert graph_words([], lower_case=True) == []


def test_a_turkish_process_lowers_as_any_other() -> None:
    """TensorFlow lowers by the locale of the process; a server may run under any."""
    program = (
        "import tensorflow as tf\n"
        "from trainer.text.normalize import normalize\n"
        "lowered = tf.strings.lower(['I'], encoding='utf-8').numpy()[0].decode()\n"
        "ours = normalize(tf.constant(['TITI', 'TITİ é']), True).numpy()\n"
        "print(ascii(lowered), *(text.decode() for text in ours), sep='|')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=os.environ | {"LC_ALL": "tr_TR.UTF-8"},
        cwd=Path(__file__).parents[3],
        capture_output=True,
        text=True,
        check=True,
    )
    trap, *ours = done.stdout.strip().splitlines()[-1].split("|")
    assert ours == ["titi", "titi e"]
    assert trap == r"'\u0131'", "the trap is gone: the ASCII step of _fold may go too"
