"""From byte offsets in normalised text back to byte offsets in the text that the caller sent.

Only rows that are not plain ASCII need it: elsewhere normalisation maps byte to byte.
"""

import tensorflow as tf

from trainer.text import characters
from trainer.text.normalize import is_plain, normalize_any


def source_spans(
    text: tf.Tensor,
    normalized: tf.Tensor,
    rows: tf.Tensor,
    starts: tf.Tensor,
    ends: tf.Tensor,
    lower_case: bool,
) -> tuple[tf.Tensor, tf.Tensor]:
    """Maps spans of normalised text to the caller's text.

    A span begins where its first character begins and ends where its last one ends. Accents that
    normalisation dropped belong to the character before them; a part of a decomposed character
    gets the whole character.

    >>> source_spans(["¿Où?"], ["¿ou?"], [0], [2], [4], lower_case=True)  # "ou" from "Où"
    ([2], [5])

    Args:
        text: [batch] string, as the caller sent it.
        normalized: [batch] string, what `normalize` made of it.
        rows: [spans] int64, the row that each span lies in.
        starts: [spans] int64, first byte in the normalised text.
        ends: [spans] int64, the byte after the last one; no span is empty.
        lower_case: as given to `normalize`.

    Returns:
        starts, ends: [spans] int64, byte offsets into `text`.
    """
    odd = ~is_plain(text)

    def mapped() -> tuple[tf.Tensor, tf.Tensor]:
        spans = tf.where(tf.gather(odd, rows))  # [odd spans, 1]
        places = tf.where(odd)  # [odd, 1]
        new_starts, new_ends = _map_odd(
            tf.gather_nd(text, places),
            tf.gather_nd(normalized, places),
            tf.gather(tf.cumsum(tf.cast(odd, tf.int64)) - 1, tf.gather_nd(rows, spans)),
            tf.gather_nd(starts, spans),
            tf.gather_nd(ends, spans),
            lower_case,
        )
        return (
            tf.tensor_scatter_nd_update(starts, spans, new_starts),
            tf.tensor_scatter_nd_update(ends, spans, new_ends),
        )

    return tf.cond(tf.reduce_any(odd), mapped, lambda: (starts, ends))


def _map_odd(
    text: tf.Tensor,
    normalized: tf.Tensor,
    rows: tf.Tensor,
    starts: tf.Tensor,
    ends: tf.Tensor,
    lower_case: bool,
) -> tuple[tf.Tensor, tf.Tensor]:
    """As `source_spans`, with all rows laid end to end, a newline after each.

    The newline keeps a cut-off UTF-8 sequence from swallowing the next row's first byte.
    """
    joined = tf.strings.reduce_join(text + "\n")
    begins, reaches = _characters(joined, lower_case)
    normalized_row = tf.gather(_row_begins(normalized), rows)
    text_row = tf.gather(_row_begins(text), rows)
    first = tf.searchsorted(reaches, normalized_row + starts, side="right")
    last = tf.searchsorted(reaches, normalized_row + ends - 1, side="right")
    return tf.gather(begins, first) - text_row, tf.gather(begins, last + 1) - text_row


def _row_begins(text: tf.Tensor) -> tf.Tensor:
    """Where each row begins once they are laid end to end: [rows] int64."""
    return tf.cumsum(tf.cast(tf.strings.length(text), tf.int64) + 1, exclusive=True)


def _characters(text: tf.Tensor, lower_case: bool) -> tuple[tf.Tensor, tf.Tensor]:
    """The characters of one text, but for the accents that normalisation drops.

    Args:
        text: scalar string.
        lower_case: as given to `normalize`.

    Returns:
        begins: [characters] int64, each one's first byte in the text.
        reaches: [characters] int64, how many bytes the normalised text has at its end.
    """
    points, begins = tf.strings.unicode_decode_with_offsets(text, "UTF-8", errors="replace")
    unique, index = tf.unique(points)  # a text has few different characters
    width, accent = _widths(unique, lower_case)
    kept = tf.where(~tf.gather(accent, index))[:, 0]
    reaches = tf.cumsum(tf.gather(width, tf.gather(index, kept)))
    return tf.gather(begins, kept), reaches


def _widths(points: tf.Tensor, lower_case: bool) -> tuple[tf.Tensor, tf.Tensor]:
    """What normalisation makes of single characters.

    Args:
        points: [characters] int32, Unicode code points.
        lower_case: as given to `normalize`.

    Returns:
        width: [characters] int64, bytes after normalisation.
        accent: [characters] bool, whether it is an accent that is dropped.
    """
    text = tf.strings.unicode_encode(points[:, tf.newaxis], "UTF-8")
    width = tf.strings.length(normalize_any(text, lower_case))
    accent = tf.equal(width, 0) & tf.strings.regex_full_match(text, f"[{characters.marks()}]")
    # unicode_encode writes U+FFFD for Unicode's noncharacters, but normalisation keeps them.
    replaced = tf.equal(text, "\N{REPLACEMENT CHARACTER}")
    noncharacter = replaced & tf.not_equal(points, 0xFFFD)
    width = tf.where(noncharacter, tf.where(points > 0xFFFF, 4, 3), width)
    return tf.cast(width, tf.int64), accent
