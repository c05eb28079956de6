"""What the trainer's tests share."""

import pytest


@pytest.fixture(autouse=True)
def no_seed_of_others() -> None:
    """As in a fresh process: a whole run in this one leaves TensorFlow's global seed set, and the
    order of the batches follows from it."""
    import tensorflow as tf

    tf.random.set_seed(None)
