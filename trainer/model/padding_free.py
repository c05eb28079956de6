"""The encoder over tokens that are there: no padding is multiplied anywhere but in attention.

`Encoder` is the specification; this computes the same with its weights. All dense products, norms
and activations work on the flat tokens of all texts, [N, H]. Attention alone needs rows: texts are
sorted by length and cut into a few groups, each padded to its own longest; a few tokens fill N up
(see groups.py). Where all texts are of one length, as a single text always is, there is nothing to
sort, fill, mask or gather. Training's batches are of like lengths: their rows stay padded, as one
group. Where nothing but [CLS] is read, the last layer computes nothing else. Where wanted, few
tokens, or all in bfloat16, are multiplied by constant weights; short texts have products of their
own, for what a server may keep of a variable's (see dense.py, for both). Letters as in encoder.py
and groups.py.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import tensorflow as tf

from trainer.model.dense import current, products
from trainer.model.dropout import dropout
from trainer.model.encoder import Attention, Encoder, EncoderLayer
from trainer.model.groups import Flat, Group, filled, flat_tokens, length_groups, padded, uniform

# Where weights packed once are worth more than those packed for the very number of tokens.
FEW_TOKENS = 48
_LEAST_TOKENS = 8  # below, oneDNN packs otherwise, and anew at every call
# Rows for which oneDNN packs weights in one form; for fewer and for more in another.
_ONE_FORM = (7, 80)

Seeds = Sequence[tf.Tensor | None]  # of each place of dropout


class Encoded(NamedTuple):
    """What the encoder says about texts.

    `tokens` is [N, H], the last layer in the order of the texts' own tokens; None where only
    `pooled` was asked for. `pooled` is [B, H].
    """

    tokens: tf.Tensor | None
    pooled: tf.Tensor


def encode(
    encoder: Encoder,
    ids: tf.RaggedTensor,
    types: tf.RaggedTensor,
    pooled_only: bool = False,
    constants: bool = False,
) -> Encoded:
    """Encodes texts of any lengths, without dropout.

    Args:
        encoder: with its weights.
        ids: [B, (tokens)] int32; every text has a token or more.
        types: likewise, which of a pair's texts a token is of.
        pooled_only: the last layer is computed for [CLS] alone, which is all that `pooled` reads.
        constants: few tokens, or all in a precision below float32, are multiplied by the weights'
            present values, as constants of the graph: faster, and the graph is as much larger as
            all products' weights are.
    """
    few = ids.nrows() * _longest(ids) <= FEW_TOKENS
    same = tf.equal(tf.reduce_max(ids.row_lengths()), tf.reduce_min(ids.row_lengths()))

    def part(function: Callable[..., tuple[tf.Tensor, tf.Tensor]]) -> tuple[tf.Tensor, tf.Tensor]:
        # Apart, not inlined: within a branch of a tf.cond, whose constants hang on the condition,
        # TensorFlow does not fuse GELU into its product.
        apart = tf.function(
            lambda ids, types: function(encoder, ids, types, pooled_only),
            autograph=False,
            experimental_attributes={"_noinline": True},
        )
        return apart(ids, types)

    def alike() -> tuple[tf.Tensor, tf.Tensor]:
        tokens, (least, most) = tf.size(ids.values), _ONE_FORM
        # The last layer and the pooler have a row a text.
        short = (tokens >= least) & (tokens <= most) & (ids.nrows() < least)
        return tf.cond(short, lambda: part(_uniform), lambda: part(_uniform))

    def many() -> tuple[tf.Tensor, tf.Tensor]:
        return tf.cond(same | (ids.nrows() == 0), alike, lambda: part(_sorted))

    if not constants:
        tokens, pooled = many()
    elif current().lower:
        with products(constant=True):
            tokens, pooled = tf.cond(few | same, lambda: part(_rows), lambda: part(_sorted))
    else:
        tokens, pooled = tf.cond(few, lambda: part(_rows), many)
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
    flat, group = padded(encoder, ids, mask, types)
    trains = seeds is not None and seeds[0] is not None
    with products(gradients=trains):
        tokens, pooled = _run(encoder, flat, [group], pooled_only, seeds)
    return Encoded(None if pooled_only else tokens, pooled)


def _rows(
    encoder: Encoder, ids: tf.RaggedTensor, types: tf.RaggedTensor, pooled_only: bool
) -> tuple[tf.Tensor, tf.Tensor]:
    """As `_run`, with constants, of texts as rows that are not too short for these."""
    shape = tf.stack([ids.nrows(), _longest(ids)])
    mask = tf.ones_like(ids).to_tensor(shape=shape)
    with products(constant=True):
        flat, group = padded(
            encoder, ids.to_tensor(shape=shape), mask, types.to_tensor(shape=shape)
        )
        tokens, pooled = _run(encoder, flat, [group], pooled_only)
    if not pooled_only:
        tokens = tf.gather(tokens, tf.where(tf.reshape(mask, [-1]) > 0)[:, 0])
    return tokens, pooled


def _longest(ids: tf.RaggedTensor) -> tf.Tensor:
    """Of the rows that constants can take."""
    return tf.reduce_max(tf.concat([ids.row_lengths(), [_LEAST_TOKENS]], 0))


def _uniform(
    encoder: Encoder, ids: tf.RaggedTensor, types: tf.RaggedTensor, pooled_only: bool
) -> tuple[tf.Tensor, tf.Tensor]:
    """As `_run`, of texts that are all of one length."""
    return _run(encoder, flat_tokens(ids, types), [uniform(ids)], pooled_only)


def _sorted(
    encoder: Encoder, ids: tf.RaggedTensor, types: tf.RaggedTensor, pooled_only: bool
) -> tuple[tf.Tensor, tf.Tensor]:
    order = tf.argsort(ids.row_lengths(), stable=True)
    back = tf.argsort(order)
    ids, types = tf.gather(ids, order), tf.gather(types, order)
    flat, fillers = filled(flat_tokens(ids, types))
    groups = length_groups(ids.row_splits, encoder, fillers)
    tokens, pooled = _run(encoder, flat, groups, pooled_only)
    if not pooled_only:
        tokens = tf.gather(ids.with_values(tokens[: tf.size(ids.values)]), back).values
    return tokens, tf.gather(pooled, back)


def _run(
    encoder: Encoder,
    flat: Flat,
    groups: list[Group],
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


def _layer(layer: EncoderLayer, x: tf.Tensor, groups: list[Group], seeds: Seeds) -> tf.Tensor:
    """x [N, H] ▶ [N, H]."""
    qkv = layer.attention.qkv(x)
    context = tf.concat([_context(layer.attention, qkv, group, seeds[0]) for group in groups], 0)
    return _rest(layer, x, context, seeds)


def _rest(layer: EncoderLayer, x: tf.Tensor, context: tf.Tensor, seeds: Seeds) -> tf.Tensor:
    """What follows attention, token by token: x and context, [tokens, H] each ▶ [tokens, H]."""
    y = dropout(layer.attention.output_(context), layer.attention.config.dropout, seeds[1])
    return layer.feed_forward(layer.attention.norm(x + y), seeds[2])


def _context(
    attention: Attention, qkv: tf.Tensor, group: Group, seed: tf.Tensor | None
) -> tf.Tensor:
    """qkv [N, 3·H] ▶ the context of the group's tokens, [tokens, H]."""
    rows = tf.unstack(group.rows)
    if group.places is None:
        return attention.attend(qkv, group.bias, rows, seed)[0]
    context, _ = attention.attend(tf.gather(qkv, group.places), group.bias, rows, seed)
    return tf.gather(context, group.real)


def _last_layer(
    layer: EncoderLayer, seeds: Seeds, x: tf.Tensor, groups: list[Group], first: tf.Tensor
) -> tf.Tensor:
    """x [N, H] ▶ [B, H], of the texts' [CLS]: all tokens are asked, but only [CLS] asks."""
    qkv = layer.attention.qkv(x)
    context = [_first_context(layer.attention, qkv, group, seeds[0]) for group in groups]
    return _rest(layer, tf.gather(x, first), tf.concat(context, 0), seeds)


def _first_context(
    attention: Attention, qkv: tf.Tensor, group: Group, seed: tf.Tensor | None
) -> tf.Tensor:
    """qkv [N, 3·H] ▶ the context of the [CLS] of the group's texts, [b, H]."""
    heads, size = attention.config.num_heads, attention.config.head_size
    width, (texts, longest) = heads * size, tf.unstack(group.rows)
    queries, keys_values = tf.split(qkv, [width, 2 * width], axis=1)
    if group.places is not None:
        keys_values = tf.gather(keys_values, group.places)
    keys_values = tf.reshape(keys_values, [texts, longest, 2, heads, size])
    k, v = tf.unstack(tf.transpose(keys_values, [2, 0, 3, 1, 4]))  # [b, A, l, D] each
    q = tf.reshape(tf.gather(queries, group.first), [texts, heads, 1, size])
    context, _ = attention.ask(q, k, v, group.bias, seed)  # [b, A, 1, D]
    return tf.reshape(context, [texts, width])
