"""Transform's TFRecords, decoded: ids back to pieces, beside the text that they were made from."""

from collections.abc import Iterator

import tensorflow as tf

from pipeline.inspection import samples
from pipeline.inspection.subject import Subject
from pipeline.page.blocks import Section
from trainer import batches
from trainer.model.tags import tag_names
from trainer.preprocessing import FIXED_OUTPUTS, VARIABLE_OUTPUTS

_AT_ONCE = 256
Ids = tuple[int, ...]


def section(subject: Subject, split: str, rows: int) -> Section:
    """The first records of a split.

    A record holds no text: it is the raw one that the graph, asked again, gives the same ids for.
    """
    records = [*_records(subject, split, rows)]
    texts = _texts(subject, split, {_ids(record) for record in records})
    tags = tag_names(subject.names) if subject.task == "tag" else []
    return Section(
        f"Records of {split}, decoded",
        [
            samples.sample(texts.get(_ids(one), ""), one, subject.vocabulary.tokens, tags)
            for one in records
        ],
    )


def _records(subject: Subject, split: str, rows: int) -> Iterator[dict[str, tf.SparseTensor]]:
    """Batches of one record."""
    spec = {name: tf.io.VarLenFeature(tf.int64) for name in VARIABLE_OUTPUTS[subject.task]}
    spec |= {name: tf.io.FixedLenFeature([], tf.int64) for name in FIXED_OUTPUTS[subject.task]}
    for serialized in batches.read([str(subject.transformed / f"Split-{split}" / "*")]).take(rows):
        yield tf.io.parse_example([serialized], spec)


def _ids(features: dict[str, tf.SparseTensor]) -> Ids:
    return tuple(features["input_word_ids"].values.numpy().tolist())


def _texts(subject: Subject, split: str, wanted: set[Ids]) -> dict[Ids, str]:
    """Raw texts by the ids that the graph makes of them, until all that are wanted are found."""
    features_of = subject.transform.transform_features_layer()
    spec = subject.transform.raw_feature_spec()
    found: dict[Ids, str] = {}
    for serialized in subject.raw(split).batch(_AT_ONCE):
        raw = tf.io.parse_example(serialized, spec)
        made = tf.RaggedTensor.from_sparse(features_of(raw)["input_word_ids"]).to_list()
        for ids, text in zip(map(tuple, made), _strings(raw[subject.text]), strict=True):
            if ids in wanted:
                found.setdefault(ids, text.decode("utf-8", "replace"))
        if len(found) == len(wanted):
            break
    return found


def _strings(column: tf.Tensor | tf.SparseTensor) -> list[bytes]:
    dense = tf.sparse.to_dense(column) if isinstance(column, tf.SparseTensor) else column
    return tf.reshape(dense, [-1]).numpy().tolist()
