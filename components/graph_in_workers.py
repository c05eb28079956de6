"""The transform graph in a worker that nobody has prepared.

tf.Transform loads the graph before it imports TensorFlow Text. A worker whose first task is to run
it, such as one that was started in the place of a dead one, does not know half of its ops. What
such a task is pickled as is of this module; whoever unpickles it has the ops, and sends what the
graph gives as `sparse_rows`.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import tensorflow_text  # noqa: F401 - its ops
from tensorflow_transform.beam import impl

from components import sparse_rows  # noqa: F401 - see there


class RunGraph(impl._RunMetaGraphDoFn):
    """tf.Transform's own."""


@contextmanager
def with_text_ops() -> Iterator[None]:
    """Pipelines that are composed inside run their graph so; tf.Transform finds it by name."""
    usual = impl._RunMetaGraphDoFn
    impl._RunMetaGraphDoFn = RunGraph
    try:
        yield
    finally:
        impl._RunMetaGraphDoFn = usual
