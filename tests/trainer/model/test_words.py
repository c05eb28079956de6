"""Words to the front of their row and back."""

import numpy as np
import pytest
import tensorflow as tf

from trainer.model.words import compact, expand

MASKS = {
    "some": [[0, 1, 0, 1, 1], [1, 0, 0, 0, 0]],
    "an empty row": [[0, 0, 0], [0, 1, 1]],
    "nothing": [[0, 0, 0]],
    "all": [[1, 1], [1, 1]],
    "no tokens": [[], []],
    "no rows": np.zeros([0, 3]),
}


@pytest.mark.parametrize("width", [(), (2,)], ids=["flat", "wide"])
@pytest.mark.parametrize("mask", MASKS.values(), ids=MASKS)
def test_there_and_back(mask: list, width: tuple[int, ...]) -> None:
    picked = np.array(mask, bool)
    x = np.random.default_rng(0).normal(size=(*picked.shape, *width)).astype(np.float32)
    words, lengths = compact(tf.constant(x), tf.constant(picked))
    longest = max(picked.sum(1), default=0)
    assert words.shape == (len(x), longest, *width)
    for row, length, values, take in zip(words.numpy(), lengths, x, picked, strict=True):
        np.testing.assert_array_equal(row[:length], values[take])
        assert not row[length:].any()
    back = expand(words, tf.constant(picked))
    np.testing.assert_array_equal(
        back, np.where(picked.reshape(picked.shape + (1,) * len(width)), x, 0)
    )
