"""Products in a precision below float32: bfloat16 or float16.

Only the encoder's products are: their inputs are rounded, their sums are float32 inside the
kernels and rounded once. Norms, softmax, residual sums, pooler and heads stay float32. Whether it
pays is the machine's (see `trainer.precision`): a CPU with AMX multiplies bfloat16 4 to 7 times
as fast as float32, one without emulates it.
"""

import keras
import tensorflow as tf


class Lower:
    """Kernels in a lower precision, copied as a graph first asks for them.

    Args:
        dtype: `"bfloat16"` or `"float16"`.
    """

    def __init__(self, dtype: str) -> None:
        self.dtype = tf.as_dtype(dtype)
        self._copies: dict[int, tf.Variable] = {}

    def __call__(self, kernel: keras.Variable) -> tf.Variable:
        """The kernel's copy, of its values when it was first asked for."""
        if id(kernel) not in self._copies:
            with tf.init_scope():
                self._copies[id(kernel)] = tf.Variable(
                    tf.cast(kernel.value, self.dtype), trainable=False, name=kernel.name
                )
        return self._copies[id(kernel)]

    def variables(self, of: list[keras.Variable]) -> list[tf.Variable]:
        """These variables as a graph needs them: copies in the place of what was copied."""
        return [self._copies.get(id(variable), variable.value) for variable in of]
