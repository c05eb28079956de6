"""Overlapping windows over texts that are longer than the encoder reads at once.

The same function cuts the training examples and the texts that a server is asked about. Every
token is owned by one window, the one in which it is further from the edge, so that what is found
window by window can be put together again.
"""

from typing import NamedTuple

import tensorflow as tf

from trainer.text.rows import row_of_values

_OVERLAP = 4  # neighbours share a quarter of a window


class Windows(NamedTuple):
    """Where the windows lie.

    `rows` is [windows] int64, the text that each one is of, in order. `tokens` is ragged
    [windows, (tokens)] int64: the tokens' places among all tokens of the batch, [CLS] first and
    [SEP] last. `owned` is [windows, (tokens)] bool; over all windows every token is owned once.
    """

    rows: tf.Tensor
    tokens: tf.RaggedTensor
    owned: tf.RaggedTensor


def how_many(lengths: tf.Tensor, max_tokens: int) -> tf.Tensor:
    """Number of windows of each text.

    Args:
        lengths: [batch] int64, tokens of each text, [CLS] and [SEP] counted.
        max_tokens: of a window, [CLS] and [SEP] counted; at least 3.

    Returns:
        [batch] int64, at least 1 each.
    """
    beyond = tf.maximum(lengths - max_tokens, 0)
    return 1 - tf.math.floordiv(-beyond, _stride(max_tokens))


def windows(row_splits: tf.Tensor, max_tokens: int) -> Windows:
    """Cuts texts into windows; the last window of a text ends where the text ends.

    A text of 12 tokens and windows of 8 (6 pieces beside [CLS] and [SEP], neighbours share 1) give
    [0, 1, 2, 3, 4, 5, 6, 11] and [0, 5, 6, 7, 8, 9, 10, 11].

    Args:
        row_splits: [batch + 1] int64, of ragged tokens, each text between its [CLS] and [SEP].
        max_tokens: of a window, [CLS] and [SEP] counted; at least 3.
    """
    lengths = row_splits[1:] - row_splits[:-1]
    number = how_many(lengths, max_tokens)
    first = tf.cumsum(number, exclusive=True)  # of each text, among all windows
    rows = tf.repeat(tf.range(tf.size(lengths, tf.int64)), number)
    order = tf.range(tf.size(rows, tf.int64)) - tf.gather(first, rows)  # within its text
    return _laid_out(rows, order, tf.gather(lengths, rows), tf.gather(row_splits, rows), max_tokens)


def window(row_splits: tf.Tensor, order: tf.Tensor, max_tokens: int) -> Windows:
    """As `windows`, but of each text one window alone.

    Args:
        row_splits: [batch + 1] int64.
        order: [batch] int64, which of the text's windows, from 0.
        max_tokens: of a window.
    """
    lengths = row_splits[1:] - row_splits[:-1]
    rows = tf.range(tf.size(lengths, tf.int64))
    return _laid_out(rows, order, lengths, row_splits[:-1], max_tokens)


def _laid_out(
    rows: tf.Tensor, order: tf.Tensor, length: tf.Tensor, row_start: tf.Tensor, max_tokens: int
) -> Windows:
    """The windows' tokens, from each one's text, place in it, length and start of the text."""
    pieces = length - 2
    size = tf.minimum(pieces, max_tokens - 2)
    begin = _begin(order, pieces, size, max_tokens)
    before = (begin + _begin(order - 1, pieces, size, max_tokens) + size) // 2
    after = (begin + _begin(order + 1, pieces, size, max_tokens) + size) // 2
    is_last = tf.equal(begin, pieces - size)
    own_from = tf.where(tf.equal(order, 0), tf.constant(-1, tf.int64), before)
    own_to = tf.where(is_last, pieces + 1, after)

    place = tf.ragged.range(size + 2)  # [windows, (tokens)], in the window
    of = row_of_values(place.row_splits, place.values)
    piece = tf.gather(begin, of) + place.values - 1  # place in the text, its first piece 0
    cls, sep = tf.equal(place.values, 0), tf.equal(place.values, tf.gather(size, of) + 1)
    piece = tf.where(cls, tf.constant(-1, tf.int64), piece)
    piece = tf.where(sep, tf.gather(pieces, of), piece)
    owned = (piece >= tf.gather(own_from, of)) & (piece < tf.gather(own_to, of))
    tokens = tf.gather(row_start, of) + piece + 1
    return Windows(rows, place.with_values(tokens), place.with_values(owned))


def _begin(order: tf.Tensor, pieces: tf.Tensor, size: tf.Tensor, max_tokens: int) -> tf.Tensor:
    """The first piece of a text's window: [windows] int64."""
    return tf.clip_by_value(order * _stride(max_tokens), 0, pieces - size)


def _stride(max_tokens: int) -> int:
    size = max_tokens - 2
    return size - size // _OVERLAP
