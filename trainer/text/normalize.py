"""BERT's text normalisation in the graph: cleaning, and for uncased encoders folding.

Traps it avoids: `tf.strings.lower(encoding="utf-8")` stops at a NUL byte and obeys the locale of
the process (under a Turkish one `I` becomes `ı`), and TF Text's tokenizers case-fold, which turns
"ß" into "ss" and "…" into "...".

TensorFlow brings its own Unicode data for decomposing and lowering: of all characters, 61 letters
and vowel signs of Unicode 13 to 16 come out otherwise than Python's own would, listed in
`tests/trainer/text/test_normalize.py`. Everything else is read from `trainer.text.characters`.
"""

import tensorflow as tf
import tensorflow_text as tf_text

from trainer.text import characters


def normalize(text: tf.Tensor, lower_case: bool) -> tf.Tensor:
    """Normalises text as the encoder's own tokenizer did; whitespace stays as it is.

    >>> normalize(tf.constant(["Café\\u00ad!"]), lower_case=True)
    [b"cafe!"]

    Args:
        text: [batch] string, any bytes.
        lower_case: whether the encoder is uncased.

    Returns:
        [batch] string, valid UTF-8.
    """
    rows = tf.where(~is_plain(text))  # [odd, 1]
    odd = normalize_any(tf.gather_nd(text, rows), lower_case)
    plain = tf.strings.lower(text) if lower_case else text
    return tf.tensor_scatter_nd_update(plain, rows, odd)


def is_plain(text: tf.Tensor) -> tf.Tensor:
    """Where a text is printable ASCII and whitespace, which normalisation maps byte to byte.

    Args:
        text: [batch] string.

    Returns:
        [batch] bool.
    """
    return tf.strings.regex_full_match(text, r"[\t\n\r -~]*")


def normalize_any(text: tf.Tensor, lower_case: bool) -> tf.Tensor:
    """As `normalize`, without its short cut for plain rows."""
    cleaned = _clean(text)
    return _fold(cleaned) if lower_case else cleaned


def _clean(text: tf.Tensor) -> tf.Tensor:
    """Drops invalid UTF-8, NUL, U+FFFD, control and format characters."""
    valid = tf.strings.unicode_transcode(text, "UTF-8", "UTF-8", errors="ignore")
    return tf.strings.regex_replace(valid, f"[{characters.removed()}]+", "")


def _fold(text: tf.Tensor) -> tf.Tensor:
    """Decomposes, drops accents, lowers."""
    decomposed = tf_text.normalize_utf8(text, "NFD")
    stripped = tf.strings.regex_replace(decomposed, f"[{characters.marks()}]+", "")
    # ASCII first: what that leaves reads the same in every locale.
    return tf.strings.lower(tf.strings.lower(stripped), encoding="utf-8")
