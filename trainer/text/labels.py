"""Entities given as spans of the text, to one tag for every word that the graph sees."""

from typing import NamedTuple

import tensorflow as tf

from trainer.text.rows import row_of_values

UNKNOWN = -1  # the tag of a word that no tag can be given; the loss leaves it out
_ROW = 1 << 40  # more bytes than a text can have: one number for row and byte


class Spans(NamedTuple):
    """Spans of texts, each ragged [batch, (spans)] int64, in order, none inside another.

    `starts` and `ends` are bytes of the caller's text; `types` are ids, −1 for an unknown type.
    """

    starts: tf.RaggedTensor
    ends: tf.RaggedTensor
    types: tf.RaggedTensor


class WordTags(NamedTuple):
    """`tags` ragged [batch, (words)] int64; `misaligned` [batch] int64, spans that fit no words."""

    tags: tf.RaggedTensor
    misaligned: tf.Tensor


def word_tags(starts: tf.RaggedTensor, ends: tf.RaggedTensor, spans: Spans) -> WordTags:
    """Gives every word its IOB2 tag: O is 0, type t begins with 1 + 2 t and goes on with 2 + 2 t.

    A span whose edge lies inside a word, or that has no word, is counted, and the words that it
    touches are `UNKNOWN`, not O: what they are called is not known.

    Words [0, 3), [4, 8) and a span [0, 8) of type 1 give tags 3, 4; with the span [0, 6) they give
    −1, −1 and one misaligned span.

    Args:
        starts: ragged [batch, (words)] int64, bytes of the caller's text.
        ends: the same.
        spans: [batch, (spans)].
    """
    begin, end = _global(starts), _global(ends)
    first_byte, last_byte = _global(spans.starts), _global(spans.ends)
    # Words that each span touches: the first that ends after its start to the last that starts
    # before its end.
    first = tf.searchsorted(end, first_byte, side="right")
    last = tf.searchsorted(begin, last_byte, side="left") - 1
    padded_begin, padded_end = _with_one_more(begin), _with_one_more(end)
    fits = (
        (first <= last)
        & (tf.gather(padded_begin, first) >= first_byte)
        & (tf.gather(padded_end, tf.maximum(last, 0)) <= last_byte)
    )
    tags = starts.with_values(
        _tags(begin, end, first, _with_one_more(first_byte), last_byte, fits, spans.types.values)
    )
    misaligned = tf.reduce_sum(spans.starts.with_values(tf.cast(~fits, tf.int64)), axis=1)
    return WordTags(tags, misaligned)


def _tags(
    begin: tf.Tensor,
    end: tf.Tensor,
    first: tf.Tensor,
    first_byte: tf.Tensor,
    last_byte: tf.Tensor,
    fits: tf.Tensor,
    types: tf.Tensor,
) -> tf.Tensor:
    """[words] int64 from the words' and spans' edges; `first_byte` has one more at its end."""
    span = tf.searchsorted(first_byte, end, side="left") - 1  # the last that starts before its end
    at = tf.maximum(span, 0)
    none = tf.constant([0], tf.int64)  # so that a batch without spans can be looked up
    inside = (span >= 0) & (tf.gather(tf.concat([last_byte, none], 0), at) > begin)
    place = tf.range(tf.size(begin, tf.int32))
    goes_on = tf.not_equal(tf.gather(tf.concat([first, [0]], 0), at), place)
    kind = tf.gather(tf.concat([types, none], 0), at)
    known = tf.gather(tf.concat([fits, [False]], 0), at) & (kind >= 0)
    tag = tf.where(known, 1 + 2 * kind + tf.cast(goes_on, tf.int64), UNKNOWN)
    return tf.where(inside, tag, tf.zeros_like(tag))


def _global(offsets: tf.RaggedTensor) -> tf.Tensor:
    """Byte offsets that rise over the whole batch: [values] int64."""
    row = row_of_values(offsets.row_splits, offsets.values)
    return row * _ROW + tf.cast(offsets.values, tf.int64)


def _with_one_more(edges: tf.Tensor) -> tf.Tensor:
    """The edges and one that is beyond all of them."""
    return tf.concat([edges, [tf.int64.max]], 0)
