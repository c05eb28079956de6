"""Texts beside their pieces, ids and type ids."""

import tensorflow as tf

from pipeline.inspection.subject import Subject
from pipeline.page.blocks import Piece, Sample, Section
from trainer.model.tags import tag_names


def section(subject: Subject, split: str, rows: int) -> Section:
    """The first texts of a split, through the very graph that is served."""
    features_of = subject.transform.transform_features_layer()
    spec = subject.transform.raw_feature_spec()
    tags = tag_names(subject.names) if subject.task == "tag" else []
    samples = []
    for serialized in subject.raw(split).take(rows):
        raw = tf.io.parse_example([serialized], spec)
        text = _dense(raw[subject.text])[0].decode("utf-8", "replace")
        samples.append(sample(text, features_of(raw), subject.vocabulary.tokens, tags))
    return Section(f"Texts beside pieces, {split}", samples)


def sample(
    text: str, features: dict[str, tf.SparseTensor], vocabulary: list[str], tags: list[str]
) -> Sample:
    """A text beside Transform's features of it.

    Args:
        features: of a batch of one.
        vocabulary: tokens in id order.
        tags: a tagger's tags in id order; none for other tasks.
    """
    ids = features["input_word_ids"].values.numpy().tolist()
    types = features["input_type_ids"].values.numpy().tolist()
    names = [""] * len(ids)
    if tags:
        first, given = (
            features[name].values.numpy().tolist() for name in ("first_piece", "tag_ids")
        )
        names = word_tags(first, given, tags)
    notes = []
    if dropped := int(features["dropped_tokens"][0]):
        notes.append(f"{dropped} pieces cut off")
    if "misaligned_spans" in features and (spans := int(features["misaligned_spans"][0])):
        notes.append(f"{spans} entities fit no words: their words, marked ?, teach nothing")
    pieces = [
        Piece(vocabulary[i], i, kind, tag) for i, kind, tag in zip(ids, types, names, strict=True)
    ]
    return Sample(text, pieces, notes)


def word_tags(first: list[int], given: list[int], names: list[str]) -> list[str]:
    """The tag to be shown at each piece: of the words that they begin; none for O, ? if unknown.

    >>> word_tags([0, 1, 0, 0], [-1, 1, -1, -1], ["O", "B-PER"])
    ['', 'B-PER', '', '']
    """
    return [
        "" if not begins or tag == 0 else names[tag] if tag > 0 else "?"
        for begins, tag in zip(first, given, strict=True)
    ]


def _dense(column: tf.Tensor | tf.SparseTensor) -> list[bytes]:
    values = column.values if isinstance(column, tf.SparseTensor) else column
    return values.numpy().ravel().tolist() or [b""]
