"""The encoder over tokens that are there: no padding is multiplied anywhere but in attention.

`Encoder` is the specification; this computes the same with its weights. All dense products, norms
and activations work on the flat tokens of all texts, [N, H]. Attention alone needs rows: texts are
sorted by length and cut into a few groups, each padded to its own longest. Where all texts are of
one length, as a single text always is, there is nothing to sort, mask or gather. Training's batches
are of like lengths: their rows stay padded, as one group. Where nothing but [CLS] is read, the last
layer computes nothing else. Letters as in encoder.py; b and l are the texts and the longest of a
group.
"""

import itertools
from collections.abc import Sequence
from typing import NamedTuple

import tensorflow as tf

from trainer.model.encoder import Attention, Encoder, EncoderLayer, dropout

GROUPS = 4


Seeds = Sequence[tf.Tensor | None]  # of each place of dropout


class Encoded(NamedTuple):
    """What the encoder says about texts.

    `tokens` is [N, H], the last layer in the order of the texts' own tokens; None where only
    `pooled` was asked for. `pooled` is [B, H].
    """

    tokens: tf.Tensor | None
    pooled: tf.Tensor


class _Group(NamedTuple):
    """Texts that attend together; places and real are None where its rows lie flat as they are."""

    places: tf.Tensor | None  # [b·l] int64: each position's token among the flat ones
    real: tf.Tensor | None  # [tokens] int64: which of the b·l positions are no padding
    bias: tf.Tensor | None  # [b, 1, 1, l]: −1e9 at padding; None: there is none
    rows: tf.Tensor  # [2] int64: b, l
    first: tf.Tensor  # [b] int64: each text's [CLS] among the flat tokens


class _Flat(NamedTuple):
    """The tokens of all texts, one after the other: [N] each."""

    ids: tf.Tensor
    positions: tf.Tensor
    types: tf.Tensor


def encode(
    encoder: Encoder, ids: tf.RaggedTensor, types: tf.RaggedTensor, pooled_only: bool = False
) -> Encoded:
    """Encodes texts of any lengths, without dropout.

    Args:
        encoder: with its weights.
        ids: [B, (tokens)] int32; every text has a token or more.
        types: likewise, which of a pair's texts a token is of.
        pooled_only: the last layer is computed for [CLS] alone, which is all that `pooled` reads.
    """
    lengths = ids.row_lengths()
    same = tf.equal(tf.reduce_max(lengths), tf.reduce_min(lengths)) | tf.equal(ids.nrows(), 0)
    tokens, pooled = tf.cond(
        same,
        lambda: _run(encoder, _flat(ids, types), [_uniform(ids)], pooled_only),
        lambda: _sorted(encoder, ids, types, pooled_only),
    )
    return Encoded(None if pooled_only else tokens, pooled)


def encode_padded(
    encoder: Encoder,
    ids: tf.Tensor,
    mask: tf.Tensor,
    types: tf.Tensor,
    seeds: Seeds | None = None,
    pooled_only: bool = False,
) -> Encoded:
    """Encodes texts of like lengths as the rows they are: what training does.

    Args:
        encoder: with its weights.
        ids: [B, T] int32.
        mask: [B, T] int32, 1 for a token, 0 for padding.
        types: [B, T] int32.
        seeds: of `Encoder.dropout_seeds`; without there is no dropout.
        pooled_only: see `encode`.

    Returns:
        `tokens` of all B·T positions.
    """
    shape = tf.shape(ids, tf.int64)
    positions = tf.tile(tf.range(shape[1]), shape[:1])
    flat = _Flat(tf.reshape(ids, [-1]), positions, tf.reshape(types, [-1]))
    first = tf.range(shape[0]) * shape[1]
    rows = _Group(None, None, encoder.padding_bias(mask), shape, first)
    tokens, pooled = _run(encoder, flat, [rows], pooled_only, seeds)
    return Encoded(None if pooled_only else tokens, pooled)


def _flat(ids: tf.RaggedTensor, types: tf.RaggedTensor) -> _Flat:
    before = tf.repeat(ids.row_starts(), ids.row_lengths())
    return _Flat(ids.values, tf.range(tf.size(ids.values, tf.int64)) - before, types.values)


def _sorted(
    encoder: Encoder, ids: tf.RaggedTensor, types: tf.RaggedTensor, pooled_only: bool
) -> tuple[tf.Tensor, tf.Tensor]:
    order = tf.argsort(ids.row_lengths(), stable=True)
    back = tf.argsort(order)
    ids, types = tf.gather(ids, order), tf.gather(types, order)
    groups = _groups(ids.row_splits, encoder)
    tokens, pooled = _run(encoder, _flat(ids, types), groups, pooled_only)
    if not pooled_only:
        tokens = tf.gather(ids.with_values(tokens), back).values
    return tokens, tf.gather(pooled, back)


def _run(
    encoder: Encoder,
    flat: _Flat,
    groups: list[_Group],
    pooled_only: bool,
    seeds: Seeds | None = None,
) -> tuple[tf.Tensor, tf.Tensor]:
    """[N, H] (or [B, H], of the texts' [CLS] alone), and pooled [B, H]."""
    seeds = seeds or encoder.dropout_seeds(training=False)
    x = encoder.embeddings(flat.ids, flat.positions, flat.types)
    x = dropout(x, encoder.config.dropout, seeds[0])
    *lower, last = [(layer, seeds[1 + 3 * i : 4 + 3 * i]) for i, layer in enumerate(encoder.layers)]
    for layer, own in lower:
        x = _layer(layer, x, groups, own)
    first = tf.concat([group.first for group in groups], 0)
    if pooled_only:
        x = _last_layer(*last, x, groups, first)
        return x, encoder.pool(x)
    layer, own = last
    x = _layer(layer, x, groups, own)
    return x, encoder.pool(tf.gather(x, first))


def _layer(layer: EncoderLayer, x: tf.Tensor, groups: list[_Group], seeds: Seeds) -> tf.Tensor:
    """x [N, H] ▶ [N, H]."""
    qkv = layer.attention.qkv(x)
    context = tf.concat([_context(layer.attention, qkv, group, seeds[0]) for group in groups], 0)
    return _rest(layer, x, context, seeds)


def _rest(layer: EncoderLayer, x: tf.Tensor, context: tf.Tensor, seeds: Seeds) -> tf.Tensor:
    """What follows attention, token by token: x and context, [tokens, H] each ▶ [tokens, H]."""
    y = dropout(layer.attention.output_(context), layer.attention.config.dropout, seeds[1])
    return layer.feed_forward(layer.attention.norm(x + y), seeds[2])


def _context(
    attention: Attention, qkv: tf.Tensor, group: _Group, seed: tf.Tensor | None
) -> tf.Tensor:
    """qkv [N, 3·H] ▶ the context of the group's tokens, [tokens, H]."""
    rows = tf.unstack(group.rows)
    if group.places is None:
        return attention.attend(qkv, group.bias, rows, seed)[0]
    context, _ = attention.attend(tf.gather(qkv, group.places), group.bias, rows, seed)
    return tf.gather(context, group.real)


def _last_layer(
    layer: EncoderLayer, seeds: Seeds, x: tf.Tensor, groups: list[_Group], first: tf.Tensor
) -> tf.Tensor:
    """x [N, H] ▶ [B, H], of the texts' [CLS]: all tokens are asked, but only [CLS] asks."""
    qkv = layer.attention.qkv(x)
    context = [_first_context(layer.attention, qkv, group, seeds[0]) for group in groups]
    return _rest(layer, tf.gather(x, first), tf.concat(context, 0), seeds)


def _first_context(
    attention: Attention, qkv: tf.Tensor, group: _Group, seed: tf.Tensor | None
) -> tf.Tensor:
    """qkv [N, 3·H] ▶ the context of the [CLS] of the group's texts, [b, H]."""
    heads, size = attention.config.num_heads, attention.config.head_size
    width, (texts, longest) = heads * size, tf.unstack(group.rows)
    keys_values = qkv[:, width:]
    if group.places is not None:
        keys_values = tf.gather(keys_values, group.places)
    keys_values = tf.reshape(keys_values, [texts, longest, 2, heads, size])
    k, v = tf.unstack(tf.transpose(keys_values, [2, 0, 3, 1, 4]))  # [b, A, l, D] each
    q = tf.reshape(tf.gather(qkv[:, :width], group.first), [texts, heads, 1, size])
    context, _ = attention.ask(q, k, v, group.bias, seed)  # [b, A, 1, D]
    return tf.reshape(context, [texts, width])


def _uniform(ids: tf.RaggedTensor) -> _Group:
    """All texts as one group without padding."""
    texts = ids.nrows()
    longest = tf.size(ids.values, tf.int64) // tf.maximum(texts, 1)
    return _Group(None, None, None, tf.stack([texts, longest]), ids.row_starts())


def _groups(row_splits: tf.Tensor, encoder: Encoder) -> list[_Group]:
    """Cuts texts that are sorted by length into groups of as many texts; some may have none."""
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
            _Group(
                tf.reshape(places, [-1]),
                tf.where(tf.reshape(mask, [-1]))[:, 0],
                encoder.padding_bias(tf.cast(mask, tf.int32)),
                tf.stack([high - low, longest]),
                first,
            )
        )
    return groups
