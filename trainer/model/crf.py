"""A linear-chain conditional random field: plain functions on tensors, all of them exportable.

A path is a tag for every word of a row. Its score is ``starts`` of its first tag, plus the words'
emissions, plus the transitions between neighbours; its probability is the softmax of its score
over all paths. A row without words has one path, of score 0.

Letters in the shape comments: B rows, W words of the longest (0 will do), K tags. What stands in
the padding, from ``lengths`` on, counts for nothing.

Source: Lafferty, McCallum and Pereira 2001, https://repository.upenn.edu/cis_papers/159; the sums
over paths are the forward-backward recursion, the best path is Viterbi's; a row of which only some
tags are known is trained as in Tsuboi et al. 2008, https://aclanthology.org/C08-1113.
"""

from collections.abc import Callable

import tensorflow as tf

from trainer.model.tags import legal_starts, legal_transitions

# Below any score that a model gives, and yet a million of them added up are finite.
FORBIDDEN = -1e30


def forbid(transitions: tf.Tensor, starts: tf.Tensor, types: int) -> tuple[tf.Tensor, tf.Tensor]:
    """Transitions [K, K] and starts [K] with those that IOB2 does not know made impossible."""
    return (
        tf.where(tf.constant(legal_transitions(types)), transitions, FORBIDDEN),
        tf.where(tf.constant(legal_starts(types)), starts, FORBIDDEN),
    )


def log_likelihood(
    emissions: tf.Tensor,
    transitions: tf.Tensor,
    starts: tf.Tensor,
    tags: tf.Tensor,
    lengths: tf.Tensor,
) -> tf.Tensor:
    """Log probability of the known tags, the unknown ones summed over.

    Args:
        emissions: [B, W, K] float.
        transitions: [K, K], from row to column.
        starts: [K].
        tags: [B, W] int32, below 0 where not known.
        lengths: [B] int32.

    Returns:
        [B], at most 0; its gradient goes to emissions, transitions and starts.
    """
    tag_ids = tf.range(tf.shape(emissions)[2])
    known = tags[:, :, None]
    only_known = tf.where((known < 0) | (known == tag_ids), emissions, FORBIDDEN)
    # One recursion over both: it costs by its steps, hardly by its rows.
    both = tf.concat([only_known, emissions], axis=0)
    partitions = log_partition(both, transitions, starts, tf.tile(lengths, [2]))
    constrained, free = tf.split(partitions, 2)
    return constrained - free


def log_partition(
    emissions: tf.Tensor,
    transitions: tf.Tensor,
    starts: tf.Tensor,
    lengths: tf.Tensor,
    allowed: tf.Tensor | None = None,
) -> tf.Tensor:
    """Logarithm of the sum of exp(score) over all paths.

    Args:
        emissions: [B, W, K] float.
        transitions: [K, K], from row to column.
        starts: [K].
        lengths: [B] int32.
        allowed: [B, W, K] bool; only paths of these tags are summed.

    Returns:
        [B]; its gradient goes to emissions, transitions and starts.
    """
    if allowed is not None:
        emissions = tf.where(allowed, emissions, FORBIDDEN)

    # The gradient of a log partition is known: the tags' and the transitions' probabilities. To
    # differentiate through the loop instead takes several times as long.
    @tf.custom_gradient
    def partition(
        emissions: tf.Tensor, transitions: tf.Tensor, starts: tf.Tensor
    ) -> tuple[tf.Tensor, Callable]:
        both_ways = _ForwardBackward(emissions, transitions, starts, lengths)
        return both_ways.log_partition(), both_ways.gradient

    return partition(*map(tf.convert_to_tensor, (emissions, transitions, starts)))


def marginals(
    emissions: tf.Tensor, transitions: tf.Tensor, starts: tf.Tensor, lengths: tf.Tensor
) -> tf.Tensor:
    """Every word's probability of every tag: [B, W, K], 0 at padding. Arguments as above."""
    return _ForwardBackward(emissions, transitions, starts, lengths).marginals()


def viterbi(
    emissions: tf.Tensor, transitions: tf.Tensor, starts: tf.Tensor, lengths: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor]:
    """The best path; of several equal ones the same each time. Arguments as above.

    Returns:
        Its tags, [B, W] int32, 0 at padding, and its score, [B].
    """
    width = tf.shape(emissions)[1]
    emissions, real, last = _prepare(emissions, starts, lengths)
    scores = _recursion(emissions, transitions, _max)  # of the best path that ends there
    end_scores = tf.gather(scores, last, batch_dims=1)  # [B, K]
    steps = scores[:, :-1, :, None] + transitions  # [B, W - 1, K, K]
    previous = tf.argmax(steps, axis=2, output_type=tf.int32)
    stay = tf.broadcast_to(tf.range(tf.shape(transitions)[0]), tf.shape(scores[:, :1]))
    previous = tf.concat([tf.where(real[:, 1:, None], previous, stay), stay], axis=1)
    tags = _follow(previous, tf.argmax(end_scores, axis=1, output_type=tf.int32))
    best = tf.reduce_max(end_scores, axis=1)
    return tf.where(real, tags, 0)[:, :width], tf.where(lengths > 0, best, tf.zeros_like(best))


class _ForwardBackward:
    """Sums over the paths from both ends, both in one loop."""

    def __init__(
        self, emissions: tf.Tensor, transitions: tf.Tensor, starts: tf.Tensor, lengths: tf.Tensor
    ) -> None:
        self._width, self._lengths, self._transitions = tf.shape(emissions)[1], lengths, transitions
        self._emissions, self._real, self._last = _prepare(emissions, starts, lengths)
        ways = tf.stack([self._emissions, self._turned(self._emissions)], axis=1)  # [B, 2, W, K]
        sums = _recursion(ways, tf.stack([transitions, tf.transpose(transitions)]), _log_sum_exp)
        # Over the paths that end at a word, and over those that begin at it; with its emission.
        self._until, self._from = sums[:, 0], self._turned(sums[:, 1])  # [B, W, K]

    def _turned(self, x: tf.Tensor) -> tf.Tensor:
        return tf.reverse_sequence(x, self._lengths, seq_axis=1, batch_axis=0)

    def log_partition(self) -> tf.Tensor:
        """[B]."""
        ends = tf.reduce_logsumexp(tf.gather(self._until, self._last, batch_dims=1), axis=1)
        return tf.where(self._lengths > 0, ends, tf.zeros_like(ends))

    def marginals(self) -> tf.Tensor:
        """[B, W, K], 0 at padding."""
        sums = tf.nn.softmax(self._until + self._from - self._emissions)
        return tf.where(self._real[:, :, None], sums, tf.zeros_like(sums))[:, : self._width]

    def transition_counts(self, weights: tf.Tensor) -> tf.Tensor:
        """[K, K]: how often a transition is expected, the rows weighted by ``weights`` [B]."""
        tags = tf.shape(self._transitions)[0]
        pairs = self._until[:, :-1, :, None] + self._transitions + self._from[:, 1:, None, :]
        pairs = tf.nn.softmax(tf.reshape(pairs, [-1, tags * tags]))  # [B · (W - 1), K · K]
        weights = tf.where(self._real[:, 1:], weights[:, None], tf.zeros_like(weights)[:, None])
        return tf.reshape(tf.reshape(weights, [1, -1]) @ pairs, [tags, tags])

    def gradient(self, upstream: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        """Of emissions, transitions and starts; ``upstream`` is the log partitions', [B]."""
        emissions = self.marginals() * upstream[:, None, None]
        starts = tf.reduce_sum(emissions[:, :1], axis=[0, 1])
        return emissions, self.transition_counts(upstream), starts


def _prepare(
    emissions: tf.Tensor, starts: tf.Tensor, lengths: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Emissions with the starts in them, at least one word wide and 0 at padding; whether there is
    a word, [B, W]; the last word's index, [B], 0 where there is none."""
    emissions = tf.pad(emissions, [[0, 0], [0, tf.maximum(1 - tf.shape(emissions)[1], 0)], [0, 0]])
    real = tf.sequence_mask(lengths, tf.shape(emissions)[1])
    emissions = tf.concat([emissions[:, :1] + starts, emissions[:, 1:]], axis=1)
    emissions = tf.where(real[:, :, None], emissions, tf.zeros_like(emissions))
    return emissions, real, tf.maximum(lengths - 1, 0)


def _recursion(
    emissions: tf.Tensor, transitions: tf.Tensor, reduce: Callable[[tf.Tensor], tf.Tensor]
) -> tf.Tensor:
    """x of a word = its emissions + reduce over the tag before it(x of the word before +
    transitions): emissions [B, …, W, K], transitions […, K, K] ▶ [B, …, W, K]."""
    order = [emissions.shape.rank - 2, *range(emissions.shape.rank - 2), emissions.shape.rank - 1]
    by_word = tf.transpose(emissions, order)  # [W, B, …, K]
    words = tf.shape(by_word)[0]
    found = tf.TensorArray(by_word.dtype, size=words, element_shape=by_word.shape[1:])

    def step(word: tf.Tensor, x: tf.Tensor, found: tf.TensorArray) -> tuple:
        x = by_word[word] + reduce(x[..., :, None] + transitions)
        return word + 1, x, found.write(word, x)

    _, _, found = tf.while_loop(
        lambda word, *_: word < words,
        step,
        (1, by_word[0], found.write(0, by_word[0])),
    )
    back = [*range(1, emissions.shape.rank - 1), 0, emissions.shape.rank - 1]
    return tf.transpose(found.stack(), back)


def _max(x: tf.Tensor) -> tf.Tensor:
    return tf.reduce_max(x, axis=-2)


def _log_sum_exp(x: tf.Tensor) -> tf.Tensor:
    """Over the last dimension but one. By hand: nothing is infinite here, and that TensorFlow's
    own allows for it is half of its time."""
    largest = tf.reduce_max(x, axis=-2)
    return largest + tf.math.log(tf.reduce_sum(tf.exp(x - largest[..., None, :]), axis=-2))


def _follow(previous: tf.Tensor, end: tf.Tensor) -> tf.Tensor:
    """The tags on the way to the last one.

    The way is as many steps long as there are words. Instead of one by one, jumps of 1, 2, 4, …
    words are put together, all words' at once.

    Args:
        previous: [B, W, K] int32, the tag at a word, given that at the next one; the last word's
            are 0, 1, 2, …, and so are the padding's.
        end: [B] int32, the last word's tag.

    Returns:
        [B, W] int32.
    """
    width = tf.shape(previous)[1]

    def double(size: tf.Tensor, jump: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        ahead = tf.gather(jump, tf.minimum(tf.range(width) + size, width - 1), axis=1)
        return 2 * size, tf.gather(jump, ahead, axis=2, batch_dims=2)

    _, jump = tf.while_loop(lambda size, _: size < width, double, (1, previous))
    return tf.gather(jump, end[:, None], axis=2, batch_dims=1)[:, :, 0]
