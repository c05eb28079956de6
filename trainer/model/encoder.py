"""BERT's encoder, whole, in the order of its computation.

Source: Devlin et al. 2019, https://arxiv.org/abs/1810.04805 (learned positions, norm after each
residual sum, exact GELU). Letters in the shape comments: B texts, T tokens of the longest, H width,
A heads, D = H / A width of a head, N = B·T tokens. All products but attention's own work on flat
tokens [N, H], one matrix product each; only attention knows rows.

Names of the variables, on which checkpoints and weight decay depend (L is 0, 1, …):

    encoder/embeddings/{words,positions,types}        encoder/embeddings/norm/{gamma,beta}
    encoder/layer_L/attention/qkv/{kernel,bias}       q, k and v side by side: [H, 3·H]
    encoder/layer_L/attention/output/{kernel,bias}    encoder/layer_L/attention/norm/{gamma,beta}
    encoder/layer_L/feed_forward/inner/{kernel,bias}
    encoder/layer_L/feed_forward/output/{kernel,bias} encoder/layer_L/feed_forward/norm/{gamma,beta}
    encoder/pooler/{kernel,bias}

Biases and LayerNorm's two, which weight decay leaves alone, are the variables of one dimension.
"""

import random
from typing import Any, NamedTuple

import keras
import tensorflow as tf

from trainer.model.config import EncoderConfig
from trainer.model.dense import Dense, current
from trainer.model.dropout import dropout
from trainer.model.gradients import gelu
from trainer.model.norm import LayerNorm

_ACTIVATIONS = {
    # As in tf.nn.gelu, whose order of the products costs a CPU one large tensor more.
    "gelu": lambda x: (
        gelu(x) if current().gradients else (tf.math.erf(x * 0.5**0.5) + 1.0) * 0.5 * x
    ),
    **dict.fromkeys(
        ("gelu_new", "gelu_fast", "gelu_pytorch_tanh"), lambda x: tf.nn.gelu(x, approximate=True)
    ),
    "relu": tf.nn.relu,
}


class EncoderOutput(NamedTuple):
    """What the encoder says about a batch; the last two are filled by ``return_all`` alone."""

    sequence: tf.Tensor  # [B, T, H], the last layer
    pooled: tf.Tensor  # [B, H], a tanh layer on [CLS]
    hidden_states: tuple[tf.Tensor, ...] = ()  # embeddings, then every layer: [B, T, H] each
    attentions: tuple[tf.Tensor, ...] = ()  # every layer's probabilities: [B, A, T, T] each


class Initial:
    """Truncated normal weights, each from its own draw of one seed."""

    def __init__(self, stddev: float, seed: int) -> None:
        self._stddev, self._seeds = stddev, random.Random(seed)

    def __call__(self) -> keras.initializers.Initializer:
        """The next weight's initializer."""
        seed = self._seeds.getrandbits(31)
        return keras.initializers.TruncatedNormal(stddev=self._stddev, seed=seed)

    def dense(self, width: int, name: str, **settings: Any) -> Dense:
        """A product whose kernel is drawn; ``settings``: of `Dense`."""
        return Dense(width, kernel_initializer=self(), name=name, **settings)


class Embeddings(keras.layers.Layer):
    """Sum of a token's three embeddings, normalised."""

    def __init__(self, config: EncoderConfig, initial: Initial) -> None:
        super().__init__(name="embeddings")
        self.config, self.initial, self.norm = config, initial, LayerNorm(config)

    def build(self, shape: Any) -> None:
        """Makes the three tables, [rows, H] each."""
        config = self.config
        tables = {
            "words": config.vocab_size,
            "positions": config.max_positions,
            "types": config.type_vocab_size,
        }
        for name, rows in tables.items():
            shape = [rows, config.hidden_size]
            setattr(self, name, self.add_weight(name=name, shape=shape, initializer=self.initial()))
        self.norm.build(shape)

    def call(self, ids: tf.Tensor, positions: tf.Tensor, types: tf.Tensor) -> tf.Tensor:
        """Any shapes that broadcast, e.g. [B, T], [T], [B, T] ▶ [B, T, H]."""
        tokens = tf.gather(self.words, ids) + tf.gather(self.types, types)
        return self.norm(tokens + tf.gather(self.positions, positions))


class Attention(keras.layers.Layer):
    """Every token asks all tokens of its row; residual sum and norm included."""

    def __init__(self, config: EncoderConfig, initial: Initial) -> None:
        super().__init__(name="attention")
        self.config = config
        self.qkv = initial.dense(3 * config.hidden_size, "qkv", lowers=True)
        self.output_ = initial.dense(config.hidden_size, "output", lowers=True)
        self.norm = LayerNorm(config)

    def build(self, shape: Any) -> None:
        """Makes the weights; ``shape`` is [N, H]."""
        for part in (self.qkv, self.output_, self.norm):
            part.build(shape)

    def call(
        self, x: tf.Tensor, bias: tf.Tensor, rows: tf.Tensor, seeds: Any = (None, None)
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """x [N, H], bias [B, 1, 1, T], rows = [B, T] ▶ [N, H] and probabilities [B, A, T, T]."""
        context, probabilities = self.attend(self.qkv(x), bias, rows, seeds[0])
        y = dropout(self.output_(context), self.config.dropout, seeds[1])
        return self.norm(x + y), probabilities

    def attend(
        self,
        qkv: tf.Tensor,
        bias: tf.Tensor | None,
        rows: tf.Tensor,
        seed: tf.Tensor | None = None,
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """qkv [N, 3·H] ▶ context [N, H], probabilities [B, A, T, T]; has no weights.

        Without padding there need be no bias.
        """
        (batch, tokens), heads, size = rows, self.config.num_heads, self.config.head_size
        qkv = tf.reshape(qkv, [batch, tokens, 3, heads, size])
        q, k, v = tf.unstack(tf.transpose(qkv, [2, 0, 3, 1, 4]))  # [B, A, T, D] each
        context, probabilities = self.ask(q, k, v, bias, seed)
        context = tf.transpose(context, [0, 2, 1, 3])  # [B, T, A, D]
        return tf.reshape(context, [batch * tokens, heads * size]), probabilities

    def ask(
        self,
        q: tf.Tensor,
        k: tf.Tensor,
        v: tf.Tensor,
        bias: tf.Tensor | None,
        seed: tf.Tensor | None = None,
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """q [B, A, Q, D], k and v [B, A, T, D] ▶ context [B, A, Q, D], probabilities [B, A, Q, T].

        Q tokens of a row ask all T of it.
        """
        scores = tf.matmul(q * self.config.head_size**-0.5, k, transpose_b=True)  # [B, A, Q, T]
        probabilities = tf.nn.softmax(scores if bias is None else scores + bias)
        dropped = dropout(probabilities, self.config.attention_dropout, seed)
        return tf.matmul(dropped, v), probabilities


class FeedForward(keras.layers.Layer):
    """Two products with the activation between; residual sum and norm included."""

    def __init__(self, config: EncoderConfig, initial: Initial) -> None:
        super().__init__(name="feed_forward")
        self.config = config
        activation = _ACTIVATIONS[config.activation]
        self.inner = initial.dense(
            config.intermediate_size, "inner", lowers=True, activation=activation
        )
        self.output_ = initial.dense(config.hidden_size, "output", lowers=True)
        self.norm = LayerNorm(config)

    def build(self, shape: Any) -> None:
        """Makes the weights; ``shape`` is [N, H]."""
        self.inner.build(shape)
        self.output_.build([None, self.config.intermediate_size])
        self.norm.build(shape)

    def call(self, x: tf.Tensor, seed: tf.Tensor | None = None) -> tf.Tensor:
        """[N, H] ▶ [N, H]."""
        inner = self.inner(x)  # [N, intermediate]
        return self.norm(x + dropout(self.output_(inner), self.config.dropout, seed))


class EncoderLayer(keras.layers.Layer):
    """Attention, then feed-forward."""

    def __init__(self, config: EncoderConfig, initial: Initial, name: str) -> None:
        super().__init__(name=name)
        self.attention = Attention(config, initial)
        self.feed_forward = FeedForward(config, initial)

    def build(self, shape: Any) -> None:
        """Makes the weights; ``shape`` is [N, H]."""
        self.attention.build(shape)
        self.feed_forward.build(shape)

    def call(
        self, x: tf.Tensor, bias: tf.Tensor, rows: tf.Tensor, seeds: Any = (None, None, None)
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """x [N, H], bias [B, 1, 1, T], rows = [B, T] ▶ [N, H] and probabilities [B, A, T, T]."""
        x, probabilities = self.attention(x, bias, rows, seeds[:2])
        return self.feed_forward(x, seeds[2]), probabilities


class Encoder(keras.layers.Layer):
    """BERT without a task head: token ids in, a vector a token and one a text out.

    Args:
        config: its dimensions.
        seed: of the weights, which are truncated normal until a checkpoint is loaded.
    """

    def __init__(self, config: EncoderConfig, seed: int = 0, name: str = "encoder") -> None:
        super().__init__(name=name)
        initial = Initial(config.initializer_range, seed)
        self.config = config
        self.embeddings = Embeddings(config, initial)
        self.layers = [
            EncoderLayer(config, initial, f"layer_{i}") for i in range(config.num_layers)
        ]
        self.pooler = initial.dense(config.hidden_size, "pooler")
        self.build()

    def build(self, *_: Any) -> None:
        """Makes the weights, at once, so that checkpoints can be loaded before the first call."""
        parts: list[keras.layers.Layer] = [self.embeddings, *self.layers, self.pooler]
        for part in parts:
            part.build([None, self.config.hidden_size])

    def call(
        self,
        input_word_ids: tf.Tensor,
        input_mask: tf.Tensor,
        input_type_ids: tf.Tensor,
        training: bool = False,
        seed: tf.Tensor | None = None,
        return_all: bool = False,
    ) -> EncoderOutput:
        """Encodes a batch of padded texts.

        Args:
            input_word_ids: [B, T] int32; T at most ``config.max_positions``.
            input_mask: [B, T] int32, 1 for a token, 0 for padding, which no token attends to.
            input_type_ids: [B, T] int32, which of a pair's texts a token is of.
            training: whether there is dropout.
            seed: [2] int32, decides what is dropped. Give one that follows from the step and an
                interrupted training goes on as if it had not been; drawn at random if absent.
            return_all: whether hidden states and attention maps are returned too.
        """
        rows = batch, tokens = tf.unstack(tf.shape(input_word_ids))
        bias = self.padding_bias(input_mask)
        seeds = self.dropout_seeds(training, seed)

        x = self.embeddings(input_word_ids, tf.range(tokens), input_type_ids)  # [B, T, H]
        x = tf.reshape(x, [batch * tokens, self.config.hidden_size])  # [N, H]
        x = dropout(x, self.config.dropout, seeds[0])
        states, attentions = [x], []
        for i, layer in enumerate(self.layers):
            x, probabilities = layer(x, bias, rows, seeds[1 + 3 * i : 4 + 3 * i])
            states.append(x)
            attentions.append(probabilities)

        shape = [batch, tokens, self.config.hidden_size]
        sequence = tf.reshape(x, shape)  # [B, T, H]
        pooled = self.pool(sequence[:, 0])
        if not return_all:
            return EncoderOutput(sequence, pooled)
        hidden = tuple(tf.reshape(state, shape) for state in states)
        return EncoderOutput(sequence, pooled, hidden, tuple(attentions))

    def pool(self, first: tf.Tensor) -> tf.Tensor:
        """Last layer's [CLS], [B, H] ▶ pooled [B, H]."""
        return tf.tanh(self.pooler(first))

    def padding_bias(self, input_mask: tf.Tensor) -> tf.Tensor:
        """[B, T] int32 ▶ [B, 1, 1, T]: 0 at tokens, −1e9 at padding, to be added to scores."""
        padding = tf.cast(1 - input_mask, self.compute_dtype)[:, None, None, :]
        return padding * max(-1e9, padding.dtype.min)

    def dropout_seeds(
        self, training: bool, seed: tf.Tensor | None = None
    ) -> list[tf.Tensor | None]:
        """A seed for each place of dropout: the embeddings' and three a layer; see `call`."""
        places = 1 + 3 * self.config.num_layers
        if not training:
            return [None] * places
        if seed is None:
            seed = tf.random.uniform([2], maxval=tf.int32.max, dtype=tf.int32)
        return tf.unstack(tf.random.experimental.stateless_split(seed, places, alg="philox"))
