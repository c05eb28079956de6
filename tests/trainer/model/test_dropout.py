"""What is dropped: the rate's share, evenly, by the seed alone; what is kept keeps the sum."""

import numpy as np
import pytest
import tensorflow as tf

from trainer.model.dropout import dropout

SEED = tf.constant([7, 11])


def kept(shape: tuple[int, ...], rate: float, seed: tf.Tensor = SEED) -> np.ndarray:
    return dropout(tf.ones(shape), rate, seed).numpy() > 0


@pytest.mark.parametrize("rate", [0.001, 0.1, 0.5, 0.9])
def test_share_and_scale(rate: float) -> None:
    dropped = dropout(tf.fill([997, 331], 3.0), rate, SEED).numpy()  # an odd number of them
    count, expected = (dropped == 0).sum(), rate * dropped.size
    assert abs(count - expected) < 5 * (expected * (1 - rate)) ** 0.5  # five standard deviations
    np.testing.assert_allclose(dropped[dropped > 0], 3 / (1 - rate), rtol=2e-4)


@pytest.mark.parametrize("axis", [0, 1])
def test_every_row_and_column_alike(axis: int) -> None:
    share = kept((2000, 1999), 0.1).mean(axis)
    assert abs(share - 0.9).max() < 6 * (0.09 / 2000) ** 0.5


def test_neighbours_are_independent() -> None:
    flat = kept((1_000_001,), 0.5).astype(float) - 0.5
    for apart in (1, 2, 4, 8):
        assert abs((flat[apart:] * flat[:-apart]).mean()) < 5 * 0.25 / 1000


@pytest.mark.parametrize("shape", [(), (1,), (3, 5), (2, 4, 3, 3), (0, 8)], ids=str)
def test_any_shape_follows_from_the_seed(shape: tuple[int, ...]) -> None:
    first, again = (kept(shape, 0.5) for _ in range(2))
    assert first.shape == shape
    np.testing.assert_array_equal(first, again)


def test_other_seeds_drop_others() -> None:
    same = kept((100, 100), 0.5) == kept((100, 100), 0.5, tf.constant([7, 12]))
    assert 0.4 < same.mean() < 0.6


@pytest.mark.parametrize(("rate", "seed"), [(0.0, SEED), (0.1, None)], ids=["rate 0", "no seed"])
def test_nothing_is_dropped(rate: float, seed: tf.Tensor | None) -> None:
    assert kept((50, 50), rate, seed).all()


def test_gradient_is_of_what_is_kept() -> None:
    x = tf.random.normal([64, 64], seed=1)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = dropout(x, 0.25, SEED)
    np.testing.assert_allclose(tape.gradient(y, x), np.where(y == 0, 0, 1 / 0.75), rtol=1e-4)
