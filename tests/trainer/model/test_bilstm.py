"""The BiLSTM beside one that reads word by word in NumPy."""

import numpy as np
import pytest
import tensorflow as tf

from trainer.model.bilstm import BiLSTM

WIDTH, UNITS = 5, 3


@pytest.fixture(scope="module")
def bilstm() -> BiLSTM:
    return BiLSTM(WIDTH, UNITS, seed=1)


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def read(words: np.ndarray, kernel: np.ndarray, recurrent: np.ndarray, bias: np.ndarray):
    """[W, H] ▶ [W, U], one direction of one row."""
    h = c = np.zeros(len(recurrent))
    found = []
    for x in words:
        i, f, g, o = np.split(x @ kernel + h @ recurrent + bias, 4)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        h = sigmoid(o) * np.tanh(c)
        found.append(h)
    return np.reshape(found, [-1, len(recurrent)])


def expected(bilstm: BiLSTM, x: np.ndarray, lengths: list[int]) -> np.ndarray:
    kernel, recurrent, bias = (np.asarray(w, np.float64) for w in bilstm.weights)
    out = np.zeros([*x.shape[:2], 2 * UNITS])
    for row, length in enumerate(lengths):
        words, (forward, backward) = x[row, :length], np.split(bias, 2)
        out[row, :length, :UNITS] = read(words, kernel[0], recurrent[0], forward)
        out[row, :length, UNITS:] = read(words[::-1], kernel[1], recurrent[1], backward)[::-1]
    return out


def inputs(rows: int, words: int) -> np.ndarray:
    return np.random.default_rng(rows).normal(size=(rows, words, WIDTH)).astype(np.float32)


SHAPES = {
    "lengths differ": (4, 6, [6, 1, 0, 3]),
    "one word": (1, 1, [1]),
    "padding everywhere": (2, 3, [0, 0]),
    "no words": (2, 0, [0, 0]),
    "no rows": (0, 4, []),
}


@pytest.mark.parametrize("compiled", [False, True], ids=["eager", "in a function"])
@pytest.mark.parametrize(("rows", "words", "lengths"), SHAPES.values(), ids=SHAPES)
def test_equals_numpy(
    bilstm: BiLSTM, rows: int, words: int, lengths: list[int], compiled: bool
) -> None:
    x = inputs(rows, words)
    call = bilstm.call
    if compiled:
        specs = [tf.TensorSpec([None, None, WIDTH]), tf.TensorSpec([None], tf.int32)]
        call = tf.function(call, input_signature=specs)
    got = call(tf.constant(x), tf.constant(lengths, tf.int32))
    np.testing.assert_allclose(got, expected(bilstm, x, lengths), atol=1e-6)


def test_padding_never_leaks(bilstm: BiLSTM) -> None:
    x, lengths = inputs(3, 5), tf.constant([2, 5, 0])
    other = np.where(np.arange(5)[None, :, None] < lengths.numpy()[:, None, None], x, np.nan)
    wider = np.pad(other, [(0, 0), (0, 4), (0, 0)], constant_values=np.inf)
    alone = bilstm(x[:1, :2], lengths[:1])
    expected = bilstm(x, lengths)
    np.testing.assert_array_equal(bilstm(tf.constant(other), lengths), expected)
    np.testing.assert_array_equal(bilstm(tf.constant(wider), lengths)[:, :5], expected)
    np.testing.assert_allclose(alone[0], expected[0, :2], atol=1e-6)


def test_first_weights(bilstm: BiLSTM) -> None:
    assert [weight.path for weight in bilstm.weights] == [
        "bilstm/kernel",
        "bilstm/recurrent",
        "bilstm/bias",
    ]
    kernel, recurrent, bias = map(np.asarray, bilstm.weights)
    for direction in recurrent:
        np.testing.assert_allclose(direction @ direction.T, np.eye(UNITS), atol=1e-5)
    limit = np.sqrt(6 / (WIDTH + 4 * UNITS))
    assert limit / 2 < np.abs(kernel).max() <= limit
    i, f, g, o = np.split(bias.reshape(2, -1), 4, axis=-1)
    assert (f == 1).all()
    assert not np.any([i, g, o])
    again, other = BiLSTM(WIDTH, UNITS, seed=1), BiLSTM(WIDTH, UNITS, seed=2)
    np.testing.assert_array_equal(again.kernel, kernel)
    assert not np.array_equal(other.kernel, kernel)


def test_gradients_are_numerical_ones(bilstm: BiLSTM) -> None:
    x, lengths = tf.constant(inputs(2, 4)), tf.constant([4, 2])
    weights = np.random.default_rng(3).normal(size=(2, 4, 2 * UNITS)).astype(np.float32)

    @tf.function(input_signature=[tf.TensorSpec([None, None, WIDTH])])
    def total(x: tf.Tensor) -> tf.Tensor:
        return tf.reduce_sum(bilstm(x, lengths) * weights)

    @tf.function(input_signature=[tf.TensorSpec([None, None, WIDTH])])
    def gradients(x: tf.Tensor) -> tuple:
        with tf.GradientTape() as tape:
            tape.watch(x)
            value = total(x)
        return tape.gradient(value, [x, *(w.value for w in bilstm.weights)])

    of_x, *of_weights = gradients(x)
    numerical = tf.test.compute_gradient(total, [x], delta=1e-2)[1][0]
    np.testing.assert_allclose(np.ravel(of_x), np.ravel(numerical), atol=2e-3)
    for weight, gradient in zip(bilstm.weights, of_weights, strict=True):
        before, along = np.asarray(weight), np.sign(gradient)
        weight.assign(before + 1e-3 * along)
        above = total(x)
        weight.assign(before - 1e-3 * along)
        slope = (above - total(x)) / 2e-3
        weight.assign(before)
        np.testing.assert_allclose(slope, np.abs(gradient).sum(), rtol=1e-2)
