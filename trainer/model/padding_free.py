"""The encoder over tokens that are there: no padding is multiplied anywhere but in attention.

`Encoder` is the specification; this computes the same from ragged tokens, with its weights. All
dense products, norms and activations work on the flat tokens of all texts, [N, H]. Attention alone
needs rows: texts are sorted by length and cut into a few groups, each padded to its own longest.
Where all texts are of one length, as a single text always is, there is nothing to sort, mask or
gather. Letters as in encoder.py; b and l are the texts and the longest of a group.
"""

import itertools
from typing import NamedTuple

import tensorflow as tf

from trainer.model.encoder import Attention, Encoder, EncoderLayer

GROUPS = 4


class Encoded(NamedTuple):
    """What the encoder says about ragged texts.

    `tokens` is [N, H], the last layer in the order of the texts' own tokens; None where only
    `pooled` was asked for. `pooled` is [B, H].
    """

    tokens: tf.Tensor | None
    pooled: tf.Tensor


class _Group(NamedTuple):
    """Texts that attend together; the first three are None where there is no padding."""

    places: tf.Tensor | None  # [b·l] int64: each position's token among the flat ones
    real: tf.Tensor | None  # [tokens] int64: which of the b·l positions are no padding
    bias: tf.Tensor | None  # [b, 1, 1, l]: −1e9 at padding
    rows: tf.Tensor  # [2] int64: b, l
    first: tf.Tensor  # [b] int64: each text's [CLS] among the flat tokens


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
        lambda: _run(encoder, ids, types, [_uniform(ids)], pooled_only),
        lambda: _sorted(encoder, ids, types, pooled_only),
    )
    return Encoded(None if pooled_only else tokens, pooled)


def _sorted(
    encoder: Encoder, ids: tf.RaggedTensor, types: tf.RaggedTensor, pooled_only: bool
) -> tuple[tf.Tensor, tf.Tensor]:
    order = tf.argsort(ids.row_lengths(), stable=True)
    back = tf.argsort(order)
    ids, types = tf.gather(ids, order), tf.gather(types, order)
    groups = _groups(ids.row_splits, encoder)
    tokens, pooled = _run(encoder, ids, types, groups, pooled_only)
    if not pooled_only:
        tokens = tf.gather(ids.with_values(tokens), back).values
    return tokens, tf.gather(pooled, back)


def _run(
    encoder: Encoder,
    ids: tf.RaggedTensor,
    types: tf.RaggedTensor,
    groups: list[_Group],
    pooled_only: bool,
) -> tuple[tf.Tensor, tf.Tensor]:
    """[N, H] (or [B, H], of the texts' [CLS] alone), and pooled [B, H]."""
    positions = tf.range(tf.size(ids.values, tf.int64)) - tf.repeat(
        ids.row_starts(), ids.row_lengths()
    )
    x = encoder.embeddings(ids.values, positions, types.values)
    *lower, last = encoder.layers
    for layer in lower:
        x = _layer(layer, x, groups)
    first = tf.concat([group.first for group in groups], 0)
    if pooled_only:
        x = _last_layer(last, x, groups)
        return x, encoder.pool(x)
    x = _layer(last, x, groups)
    return x, encoder.pool(tf.gather(x, first))


def _layer(layer: EncoderLayer, x: tf.Tensor, groups: list[_Group]) -> tf.Tensor:
    """x [N, H] ▶ [N, H]."""
    attention = layer.attention
    qkv = attention.qkv(x)
    context = tf.concat([_context(attention, qkv, group) for group in groups], 0)
    return layer.feed_forward(attention.norm(x + attention.output_(context)))


def _context(attention: Attention, qkv: tf.Tensor, group: _Group) -> tf.Tensor:
    """qkv [N, 3·H] ▶ the context of the group's tokens, [tokens, H]."""
    if group.bias is None:
        return attention.attend(qkv, None, tf.unstack(group.rows))[0]
    padded = tf.gather(qkv, group.places)
    context, _ = attention.attend(padded, group.bias, tf.unstack(group.rows))
    return tf.gather(context, group.real)


def _last_layer(layer: EncoderLayer, x: tf.Tensor, groups: list[_Group]) -> tf.Tensor:
    """x [N, H] ▶ [B, H], of the texts' [CLS]: all tokens are asked, but only [CLS] asks."""
    attention = layer.attention
    qkv = attention.qkv(x)
    context = tf.concat([_first_context(attention, qkv, group) for group in groups], 0)
    first = tf.gather(x, tf.concat([group.first for group in groups], 0))
    return layer.feed_forward(attention.norm(first + attention.output_(context)))


def _first_context(attention: Attention, qkv: tf.Tensor, group: _Group) -> tf.Tensor:
    """qkv [N, 3·H] ▶ the context of the [CLS] of the group's texts, [b, H]."""
    heads, size = attention.config.num_heads, attention.config.head_size
    width, (texts, longest) = heads * size, tf.unstack(group.rows)
    keys_values = qkv[:, width:]
    if group.bias is not None:
        keys_values = tf.gather(keys_values, group.places)
    keys_values = tf.reshape(keys_values, [texts, longest, 2, heads, size])
    k, v = tf.unstack(tf.transpose(keys_values, [2, 0, 3, 1, 4]))  # [b, A, l, D] each
    q = tf.reshape(tf.gather(qkv[:, :width], group.first), [texts, heads, 1, size])
    scores = tf.matmul(q * size**-0.5, k, transpose_b=True)  # [b, A, 1, l]
    if group.bias is not None:
        scores += group.bias
    return tf.reshape(tf.matmul(tf.nn.softmax(scores), v), [texts, width])


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
