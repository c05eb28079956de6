"""Splits normalised text into words, as BERT does: punctuation and CJK characters stand alone."""

from typing import NamedTuple

import tensorflow as tf
from tensorflow_text.python.ops.regex_split_ops import gen_regex_split_ops

from trainer.text import characters


class Words(NamedTuple):
    """Words and where they begin in the normalised text, in bytes.

    Both are ragged [batch, (words)]: `text` string, `starts` int64.
    """

    text: tf.RaggedTensor
    starts: tf.RaggedTensor


def split_words(normalized: tf.Tensor) -> Words:
    """Splits at whitespace, and before and after every punctuation mark and CJK character.

    >>> split_words(tf.constant(["don't 中文"])).text
    <tf.RaggedTensor [[b"don", b"'", b"t", b"中", b"文"]]>

    Args:
        normalized: [batch] string, what `normalize` gave.
    """
    alone = f"[{characters.punctuation()}{characters.CJK}]"
    # The bare op: the function around it checks the op's own row splits three times over, with a
    # hundred ops that take as long as all other splitting of one text.
    text, starts, _, splits = gen_regex_split_ops.regex_split_with_offsets(
        normalized, f"([{characters.whitespace()}]+|{alone})".encode(), f"({alone})".encode()
    )
    return Words(
        *(tf.RaggedTensor.from_row_splits(part, splits, validate=False) for part in (text, starts))
    )
