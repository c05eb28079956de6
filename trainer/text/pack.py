"""Pieces to what the encoder reads: [CLS] pieces [SEP], cut to the longest length allowed."""

from typing import NamedTuple

import tensorflow as tf

from trainer.text.rows import row_of_values
from trainer.text.tokenize import Pieces
from trainer.text.vocabulary import Vocabulary


class Packed(NamedTuple):
    """The encoder's inputs, ragged [batch, (tokens)] int32, and `dropped_tokens`, [batch] int32.

    `starts` and `ends` are byte offsets into the caller's text, `first_piece` is 1 where a word
    begins; all three are 0 for [CLS] and [SEP].
    `dropped_tokens` counts the pieces that were cut off.
    """

    input_word_ids: tf.RaggedTensor
    input_mask: tf.RaggedTensor
    input_type_ids: tf.RaggedTensor
    starts: tf.RaggedTensor
    ends: tf.RaggedTensor
    first_piece: tf.RaggedTensor
    dropped_tokens: tf.Tensor


def pack(pieces: Pieces, vocabulary: Vocabulary, max_tokens: int | None) -> Packed:
    """Puts [CLS] before and [SEP] after the pieces that fit.

    With max_tokens=4, ids [[7, 8, 9], []] become [[CLS, 7, 8, SEP], [CLS, SEP]], dropped [1, 0].

    Args:
        pieces: [batch, (pieces)].
        vocabulary: where the ids of [CLS] and [SEP] are looked up.
        max_tokens: the longest row, [CLS] and [SEP] counted; at least 2; None keeps everything.
    """
    found = kept = pieces.ids.row_lengths()
    if max_tokens is not None:
        if max_tokens < 2:
            raise ValueError(f"max_tokens is {max_tokens}; [CLS] and [SEP] alone take 2.")
        kept = tf.minimum(found, max_tokens - 2)
    position = tf.ragged.range(kept + 2)  # [batch, (tokens)] int64
    source = _source(position, pieces.ids.row_starts(), kept)

    def packed(special: list[int], values: tf.RaggedTensor) -> tf.RaggedTensor:
        flat = tf.concat([tf.constant(special, tf.int32), values.values], axis=0)
        return position.with_values(tf.gather(flat, source))

    return Packed(
        input_word_ids=packed([vocabulary.cls, vocabulary.sep], pieces.ids),
        input_mask=position.with_values(tf.ones_like(source, tf.int32)),
        input_type_ids=position.with_values(tf.zeros_like(source, tf.int32)),
        starts=packed([0, 0], pieces.starts),
        ends=packed([0, 0], pieces.ends),
        first_piece=packed([0, 0], pieces.first),
        dropped_tokens=tf.cast(found - kept, tf.int32),
    )


def _source(position: tf.RaggedTensor, starts: tf.Tensor, kept: tf.Tensor) -> tf.Tensor:
    """For every token, its place in [CLS], [SEP], all pieces: [tokens] int64.

    Args:
        position: [batch, (tokens)] int64, counted from 0 in each row.
        starts: [batch] int64, where a row's pieces begin.
        kept: [batch] int64, how many of them are kept.
    """
    row = row_of_values(position.row_splits, position.values)
    piece = tf.gather(starts, row) + position.values + 1
    at, last = position.values, tf.gather(kept, row) + 1
    piece = tf.where(tf.equal(at, last), tf.constant(1, tf.int64), piece)
    return tf.where(tf.equal(at, 0), tf.constant(0, tf.int64), piece)
