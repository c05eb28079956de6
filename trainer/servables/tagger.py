"""What a served tagger answers: words with tags, entities, and where they are in the text."""

from collections.abc import Callable
from functools import partial
from typing import Any

import tensorflow as tf

from trainer.model import tags
from trainer.model.tagger import Tagger
from trainer.servables.text import Features, Tensors, TextServable, traced_once
from trainer.span_columns import SPANS
from trainer.text.quotes import Quotable
from trainer.text.rows import row_of_values
from trainer.text.word_spans import word_spans


class TaggerServable(TextServable):
    """The signatures of a tagger (see the README's table).

    Args:
        tagger: trained.
        transform: tf.Transform's exported function.
        types: entity types in id order.
        constant_weights: see `padding_free.encode`.
        settings: further ones of `TextServable`.
    """

    def __init__(
        self,
        tagger: Tagger,
        transform: Callable[[Tensors], Features],
        types: list[str],
        *,
        constant_weights: bool = False,
        **settings: Any,
    ) -> None:
        kinds = dict(zip(SPANS, (tf.int64, tf.int64, tf.string), strict=True))
        raw = {name: tf.io.VarLenFeature(kind) for name, kind in kinds.items()}
        super().__init__("tag", tagger, transform, raw_features=raw, **settings)
        self._types, self._tags = tf.constant(types), tf.constant(tags.tag_names(types))
        self._emit = traced_once(partial(tagger.of_ragged, constants=constant_weights))
        self._decode = lambda emissions, lengths: tagger.decode(emissions, lengths)

    def predict(self, text: tf.Tensor) -> Tensors:
        """Words, their tags, and the entities that the tags make."""
        features, source = self.features(text), Quotable(text)
        starts, ends = word_spans(features["first_piece"], features["starts"], features["ends"])
        tag_ids, probabilities = self._tag(features, starts)
        answer = {
            **_quoted(source, starts, ends, "tokens", ""),
            "tags": tf.gather(self._tags, tag_ids),
            "n_tokens": tf.cast(starts.row_lengths(), tf.int32),
            **self._entities(source, starts, ends, tag_ids, probabilities),
            "dropped_tokens": features["dropped_tokens"],
        }
        return {name: _dense(value) for name, value in answer.items()}

    def _tag(
        self, features: Features, words: tf.RaggedTensor
    ) -> tuple[tf.RaggedTensor, tf.RaggedTensor]:
        """Tag ids and their probabilities, [batch, (words)], decoded over each whole text."""
        cut, read = self.windows(features)
        emissions, _ = self._emit(  # [windows, words, tags]
            read["input_word_ids"], read["input_type_ids"], self.dense(read)
        )
        first = tf.gather(features["first_piece"].values, cut.tokens.values)
        word = cut.owned.with_values(tf.equal(first, 1))
        owned = tf.ragged.boolean_mask(cut.owned, word)  # [windows, (words)]
        place = tf.where(owned.to_tensor(False))  # [words, 2]: each word once, in the text's order
        stitched = words.with_values(tf.gather_nd(emissions, place)).to_tensor()
        best, probabilities = self._decode(stitched, tf.cast(words.row_lengths(), tf.int32))
        lengths = words.row_lengths()
        return (
            tf.RaggedTensor.from_tensor(best, lengths=lengths),
            tf.RaggedTensor.from_tensor(probabilities, lengths=lengths),
        )

    def _entities(
        self,
        source: Quotable,
        starts: tf.RaggedTensor,
        ends: tf.RaggedTensor,
        tag_ids: tf.RaggedTensor,
        probabilities: tf.RaggedTensor,
    ) -> Tensors:
        found = tags.Entities(
            *(column.with_row_splits_dtype(tf.int64) for column in tags.entities(tag_ids))
        )
        first, last = _in_batch(found.starts, starts), _in_batch(found.ends, starts) - 1
        begins, reaches = tf.gather(starts.values, first), tf.gather(ends.values, last)
        covered = tf.gather(probabilities.values, tf.ragged.range(first, last + 1))
        return {
            **_quoted(
                source,
                found.starts.with_values(begins),
                found.starts.with_values(reaches),
                "entities",
                "entity_",
            ),
            "entity_types": tf.gather(self._types, found.types),
            "entity_scores": found.starts.with_values(tf.reduce_mean(covered, axis=1)),
            "n_entities": tf.cast(found.starts.row_lengths(), tf.int32),
        }


def _in_batch(places: tf.RaggedTensor, words: tf.RaggedTensor) -> tf.Tensor:
    """Places of words in their rows ▶ places among all words of the batch: [values]."""
    rows = row_of_values(places.row_splits, places.values)
    return tf.cast(places.values, tf.int64) + tf.gather(words.row_starts(), rows)


def _quoted(
    source: Quotable, starts: tf.RaggedTensor, ends: tf.RaggedTensor, name: str, prefix: str
) -> Tensors:
    """Spans as the caller reads them: the text in them, bytes and code points."""
    quoted = source.quote(starts, ends)
    return {
        name: quoted.text,
        f"{prefix}starts": starts,
        f"{prefix}ends": ends,
        f"{prefix}char_starts": quoted.char_starts,
        f"{prefix}char_ends": quoted.char_ends,
    }


_PADS: dict[tf.DType, Any] = {tf.string: "", tf.int32: -1, tf.float32: 0.0}


def _dense(value: tf.Tensor | tf.RaggedTensor) -> tf.Tensor:
    """[batch, (n)] ▶ [batch, longest, but at least 1], padded."""
    if not isinstance(value, tf.RaggedTensor):
        return value
    width = tf.maximum(tf.constant(1, tf.int64), tf.reduce_max(value.row_lengths()))
    return value.to_tensor(_PADS[value.dtype], shape=tf.stack([value.nrows(), width]))
