"""The transform graph in a worker that nobody has prepared.

tf.Transform loads the graph before it imports TensorFlow Text. A worker whose first task is to run
it, such as one that was started in the place of a dead one, does not know half of its ops. What
such a task is pickled as is of this module; whoever unpickles it has the ops, and sends what the
graph gives as `sparse_rows`.
"""

from contextlib import AbstractContextManager

import tensorflow_text  # noqa: F401 - its ops
from tensorflow_transform.beam import impl

from components import sparse_rows  # noqa: F401 - see there
from components.swapped import swapped


class RunGraph(impl._RunMetaGraphDoFn):
    """tf.Transform's own."""


def with_text_ops() -> AbstractContextManager[None]:
    """Pipelines that are composed inside run their graph so."""
    return swapped(impl, "_RunMetaGraphDoFn", RunGraph)
