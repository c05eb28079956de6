"""Scalars in TensorBoard's log, without TensorBoard: stack B does not bring it."""

from collections.abc import Mapping

import tensorflow as tf
from tensorflow.core.framework import summary_pb2

# Source: tensorboard/plugins/scalar/metadata.py.
_METADATA = summary_pb2.SummaryMetadata(
    plugin_data=summary_pb2.SummaryMetadata.PluginData(plugin_name="scalars")
)


def write(writer: tf.summary.SummaryWriter, step: int, values: Mapping[str, float]) -> None:
    """What `tf.summary.scalar` writes, by name, on the disk when it returns."""
    with writer.as_default(step=step):
        for name, value in values.items():
            tf.summary.write(name, tf.constant(value, tf.float32), metadata=_METADATA)
    writer.flush()
