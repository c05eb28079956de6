"""IOB2 tags: their ids, which may follow which, and the entities they spell.

Tag ids: O = 0; of type t, B = 1 + 2t and I = 2 + 2t, so that K = 2·types + 1. B begins an entity
and I goes on with one of the same type. Negative ids are no tags: padding, or not known.

Source: Ramshaw and Marcus 1995, https://aclanthology.org/W95-0107, in the variant of Tjong Kim
Sang and Veenstra 1999, https://aclanthology.org/E99-1023, where every entity begins with B.
"""

from typing import NamedTuple

import numpy as np
import tensorflow as tf


class Entities(NamedTuple):
    """The entities of a batch, in the order of the text: [batch, (entities)] int32 each."""

    starts: tf.RaggedTensor  # index of the first word
    ends: tf.RaggedTensor  # index after the last word
    types: tf.RaggedTensor  # type id


def tag_names(types: list[str]) -> list[str]:
    """Names in id order: ``["LOC"]`` ▶ ``["O", "B-LOC", "I-LOC"]``."""
    return ["O", *(f"{part}-{name}" for name in types for part in "BI")]


def legal_transitions(types: int) -> np.ndarray:
    """[K, K] bool, from row to column: I only after B or I of its type, all else after anything."""
    tags = np.arange(2 * types + 1)
    inside = (tags > 0) & (tags % 2 == 0)
    same_type = (tags[:, None] + 1) // 2 == (tags[None, :] + 1) // 2
    return same_type | ~inside[None, :]


def legal_starts(types: int) -> np.ndarray:
    """[K] bool: a text may begin with any tag but I."""
    return legal_transitions(types)[0]  # what may follow O


def entities(tags: tf.RaggedTensor) -> Entities:
    """The entities that tags spell; an I that follows neither B nor I of its type is none.

    Args:
        tags: [batch, (words)] int32.

    For types LOC and PER, ``[[B-LOC, I-LOC, O, B-PER, B-PER], [I-LOC]]`` ▶ starts
    ``[[0, 3, 4], []]``, ends ``[[2, 4, 5], []]``, types ``[[0, 1, 1], []]``.
    """
    rows = tf.cast(tags.value_rowids(), tf.int32)  # [all words]
    begins, ends = _spans(tags.values, rows)
    starts = tf.cast(tf.where(begins)[:, 0], tf.int32)  # among all words
    rows = tf.gather(rows, starts)
    first = tf.gather(tf.cast(tags.row_starts(), tf.int32), rows)
    layout = tf.RaggedTensor.from_value_rowids(
        starts - first, tf.cast(rows, tags.row_splits.dtype), nrows=tags.nrows(), validate=False
    )
    return Entities(
        starts=layout,
        ends=layout.with_values(tf.gather(ends, starts) - first),
        types=layout.with_values(tf.gather(tags.values, starts) // 2),
    )


def count_matches(gold: tf.Tensor, predicted: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Counts entities whose first word, last word and type are all right.

    Args:
        gold: [batch, words] int32; below 0 where there is no word or its tag is not known. Such
            a word is left out: no entity begins at it or reaches over it, on either side.
        predicted: as ``gold``.

    Returns:
        How many match, how many gold ones there are, how many predicted ones; int32 scalars.
    """
    shape = tf.shape(gold)
    rows = tf.repeat(tf.range(shape[0]), shape[1])
    gold, predicted = tf.reshape(gold, [-1]), tf.reshape(predicted, [-1])
    predicted = tf.where(gold < 0, gold, predicted)
    gold_begins, gold_ends = _spans(gold, rows)
    begins, ends = _spans(predicted, rows)
    hits = gold_begins & begins & (gold == predicted) & (gold_ends == ends)
    hits, golds, guesses = (
        tf.math.count_nonzero(x, dtype=tf.int32) for x in (hits, gold_begins, begins)
    )
    return hits, golds, guesses


def _spans(tags: tf.Tensor, rows: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Of all rows' words, [N] int32 tags and row numbers: whether an entity begins at the word, and
    the index after the last word of the run that the word is in."""
    inside = (tags > 0) & (tags % 2 == 0)
    goes_on = (
        inside[1:] & ((tags[1:] + 1) // 2 == (tags[:-1] + 1) // 2) & (rows[1:] == rows[:-1])
    )  # [N - 1]
    breaks = tf.concat([tf.ones_like(tags[:1], tf.bool), ~goes_on], axis=0)
    run_starts = tf.cast(tf.where(breaks)[:, 0], tf.int32)
    run_ends = tf.concat([run_starts[1:], tf.shape(tags)], axis=0)
    ends = tf.gather(run_ends, tf.cumsum(tf.cast(breaks, tf.int32)) - 1)
    return (tags > 0) & ~inside, ends
