"""The entities of the data, marked in its texts, as TextExampleGen has read them."""

from pathlib import Path

import tensorflow as tf

from pipeline import spans
from pipeline.page.blocks import Marked, Section
from trainer import batches
from trainer.span_columns import SPAN_ENDS, SPAN_STARTS, SPAN_TYPES


def section(examples: Path, split: str, text: str, rows: int) -> Section:
    """The first texts of a split.

    Args:
        examples: TextExampleGen's folder.
        text: the column's name.
    """
    spec = {
        text: tf.io.FixedLenFeature([], tf.string),
        SPAN_TYPES: tf.io.VarLenFeature(tf.string),
        SPAN_STARTS: tf.io.VarLenFeature(tf.int64),
        SPAN_ENDS: tf.io.VarLenFeature(tf.int64),
    }
    blocks = []
    for serialized in batches.read([str(examples / f"Split-{split}" / "*")]).take(rows):
        row = tf.io.parse_single_example(serialized, spec)
        columns = (row[name].values.numpy().tolist() for name in (SPAN_STARTS, SPAN_ENDS))
        kinds = [kind.decode() for kind in row[SPAN_TYPES].values.numpy()]
        parts = spans.parts(row[text].numpy(), sorted(zip(*columns, kinds, strict=True)))
        blocks.append(Marked([(part.decode("utf-8", "replace"), kind) for part, kind in parts]))
    return Section(f"Texts of {split}", blocks)
