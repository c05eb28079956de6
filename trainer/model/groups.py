"""Which tokens attend together, and where they lie among the flat tokens of all texts.

Letters as in encoder.py; b and l are the texts and the longest of a group.
"""

import itertools
from typing import NamedTuple

import tensorflow as tf

from trainer.model.encoder import Encoder

GROUPS = 4
# oneDNN makes kernels for each number of rows that it meets and, from 1,024 on, throws one away for
# each new one: of all the numbers of tokens that batches may have, one in so many is enough.
STEP = 16


class Group(NamedTuple):
    """Texts that attend together; places and real are None where its rows lie flat as they are."""

    places: tf.Tensor | None  # [b·l] int64: each position's token among the flat ones
    real: tf.Tensor | None  # [tokens] int64: which of the b·l positions the flat tokens ask for
    bias: tf.Tensor | None  # [b, 1, 1, l]: −1e9 at padding; None: there is none
    rows: tf.Tensor  # [2] int64: b, l
    first: tf.Tensor  # [b] int64: each text's [CLS] among the flat tokens


class Flat(NamedTuple):
    """The tokens of all texts, one after the other: [N] each."""

    ids: tf.Tensor
    positions: tf.Tensor
    types: tf.Tensor


def flat_tokens(ids: tf.RaggedTensor, types: tf.RaggedTensor) -> Flat:
    """Without padding, from [B, (tokens)] int32 each."""
    before = tf.repeat(ids.row_starts(), ids.row_lengths())
    return Flat(ids.values, tf.range(tf.size(ids.values, tf.int64)) - before, types.values)


def filled(flat: Flat) -> tuple[Flat, tf.Tensor]:
    """As many tokens more as make a multiple of `STEP`, and how many; nobody attends to them."""
    fillers = -tf.size(flat.ids) % STEP
    return Flat(*(tf.pad(part, [[0, fillers]]) for part in flat)), fillers


def padded(
    encoder: Encoder, ids: tf.Tensor, mask: tf.Tensor, types: tf.Tensor
) -> tuple[Flat, Group]:
    """Rows with their padding, [B, T] each, as one group."""
    shape = tf.shape(ids, tf.int64)
    positions = tf.tile(tf.range(shape[1]), shape[:1])
    flat = Flat(tf.reshape(ids, [-1]), positions, tf.reshape(types, [-1]))
    first = tf.range(shape[0]) * shape[1]
    return flat, Group(None, None, encoder.padding_bias(mask), shape, first)


def uniform(ids: tf.RaggedTensor) -> Group:
    """All texts as one group without padding."""
    texts = ids.nrows()
    longest = tf.size(ids.values, tf.int64) // tf.maximum(texts, 1)
    return Group(None, None, None, tf.stack([texts, longest]), ids.row_starts())


def length_groups(row_splits: tf.Tensor, encoder: Encoder, fillers: tf.Tensor) -> list[Group]:
    """Cuts texts that are sorted by length into groups of as many texts; some may have none.

    Args:
        row_splits: [B + 1] int64, where each text's tokens begin; there is a text.
        encoder: what the bias follows.
        fillers: flat tokens behind those of all texts; see `filled`.
    """
    texts = tf.size(row_splits, tf.int64) - 1
    cuts = [texts * number // GROUPS for number in range(GROUPS + 1)]
    starts, lengths = row_splits[:-1], row_splits[1:] - row_splits[:-1]
    groups = []
    for low, high in itertools.pairwise(cuts):
        first, own = starts[low:high], lengths[low:high]
        longest = tf.reduce_max(tf.concat([own, [0]], 0))
        position = tf.range(longest)
        mask = position < own[:, None]  # [b, l]
        last = tf.maximum(first + own - 1, 0)
        places = tf.minimum(first[:, None] + position, last[:, None])
        groups.append(
            Group(
                tf.reshape(places, [-1]),
                tf.where(tf.reshape(mask, [-1]))[:, 0],
                encoder.padding_bias(tf.cast(mask, tf.int32)),
                tf.stack([high - low, longest]),
                first,
            )
        )
    # Fillers come last; what they take for their context is never looked at.
    groups[-1] = groups[-1]._replace(real=tf.pad(groups[-1].real, [[0, fillers]]))
    return groups
