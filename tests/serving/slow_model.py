"""Writes a SavedModel that takes its time: each row asks for so many products of matrices.

python slow_model.py BASE_PATH
"""

import sys
from pathlib import Path

import tensorflow as tf

WIDTH = 400


class SlowModel(tf.Module):
    """Gives `rounds` back after as many products as the largest row asks for.

    `spell` gives rows as wide as the widest of them; `parse` fails where a text is no number;
    `count` says how often it was asked.
    """

    def __init__(self) -> None:
        super().__init__()
        self.asked = tf.Variable(0)

    @tf.function(input_signature=[tf.TensorSpec([None], tf.int32, name="rounds")])
    def work(self, rounds: tf.Tensor) -> dict[str, tf.Tensor]:
        most = tf.reduce_max(tf.concat([rounds, [0]], 0))
        start = tf.eye(WIDTH) * tf.cast(tf.size(rounds) + 1, tf.float32)
        product = tf.while_loop(
            lambda done, _: done < most,
            lambda done, matrix: (done + 1, tf.matmul(matrix, start) / tf.reduce_max(matrix)),
            [0, start],
        )[1]
        nothing = tf.cast(tf.reduce_sum(product) * 0.0, tf.int32)
        return {"rounds": rounds + nothing, "batch": tf.fill(tf.shape(rounds), tf.size(rounds))}

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="text")])
    def spell(self, text: tf.Tensor) -> dict[str, tf.Tensor]:
        letters = tf.strings.bytes_split(text)
        return {
            "letters": letters.to_tensor(""),
            "n_letters": tf.cast(letters.row_lengths(), tf.int32),
        }

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="number")])
    def parse(self, number: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"value": tf.strings.to_number(number)}

    @tf.function(input_signature=[tf.TensorSpec([None], tf.int32, name="rows")])
    def count(self, rows: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"asked": tf.fill(tf.shape(rows), self.asked.assign_add(1))}


if __name__ == "__main__":
    model = SlowModel()
    signatures = {
        "serving_default": model.work,
        "spell": model.spell,
        "parse": model.parse,
        "count": model.count,
    }
    tf.saved_model.save(model, str(Path(sys.argv[1]) / "1"), signatures=signatures)
