"""The schedule at steps worked by hand, and AdamW beside one written in NumPy."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from trainer.optimizer import WarmupLinearDecay, adamw

BETA_1, BETA_2, EPSILON = 0.9, 0.999, 1e-8


@pytest.mark.parametrize(
    ("warmup", "total", "rates"),
    [
        (2, 6, [0.5, 1.0, 0.8, 0.6, 0.4, 0.2, 0.0, 0.0]),
        (4, 4, [0.25, 0.5, 0.75, 1.0, 0.0]),
        (0, 4, [0.8, 0.6, 0.4, 0.2, 0.0]),
        (1, 1, [1.0, 0.0]),
    ],
    ids=["rise and fall", "all warm-up", "no warm-up", "one step"],
)
def test_schedule(warmup: int, total: int, rates: list[float]) -> None:
    schedule = WarmupLinearDecay(2.0, warmup, total)
    got = [float(schedule(tf.constant(step))) for step in range(len(rates))]
    np.testing.assert_allclose(got, 2.0 * np.array(rates), atol=1e-6)


class Weights(keras.layers.Layer):
    """Variables of the ranks that an encoder has."""

    def __init__(self, name: str = "encoder") -> None:
        super().__init__(name=name)
        rng = np.random.default_rng(5)
        shapes = {
            "kernel": (3, 4),
            "bias": (4,),
            "gamma": (4,),
            "fused": (2, 3, 2),
            "table": (5, 3),
        }
        self.arrays = {name: rng.normal(size=shape) for name, shape in shapes.items()}
        for name, array in self.arrays.items():
            self.add_weight(
                shape=array.shape, initializer=lambda *_, a=array, **__: tf.constant(a, tf.float32),
                name=name,
            )  # fmt: skip
        self.built = True


def settings(**others: float) -> dict:
    return {
        "learning_rate": 0.1, "warmup": 0.4, "weight_decay": 0.05, "clip_norm": 1e9,
        "total_steps": 5, **others,
    }  # fmt: skip


def test_only_matrices_decay() -> None:
    model = Weights()
    optimizer = adamw(model, **settings(warmup=0.0))
    optimizer.apply([tf.zeros(v.shape) for v in model.trainable_variables])
    rate = 0.1 * 5 / 6
    for variable, before in zip(model.variables, model.arrays.values(), strict=True):
        kept = 1 - rate * 0.05 if before.ndim > 1 else 1.0
        np.testing.assert_allclose(np.asarray(variable), before * kept, rtol=1e-6)


def numpy_adamw(
    arrays: list[np.ndarray], gradients: list[list[np.ndarray]], rates: list[float],
    weight_decay: float, clip_norm: float,
) -> list[np.ndarray]:  # fmt: skip
    """Loshchilov and Hutter's algorithm 2, with the norm of all gradients bound first."""
    arrays = [array.copy() for array in arrays]
    first, second = ([np.zeros_like(a) for a in arrays] for _ in range(2))
    for t, (rate, step) in enumerate(zip(rates, gradients, strict=True), 1):
        norm = np.sqrt(sum((g**2).sum() for g in step))
        for i, gradient in enumerate(step):
            g = gradient * min(1.0, clip_norm / norm)
            first[i] = BETA_1 * first[i] + (1 - BETA_1) * g
            second[i] = BETA_2 * second[i] + (1 - BETA_2) * g**2
            if arrays[i].ndim > 1:
                arrays[i] -= rate * weight_decay * arrays[i]
            unbiased = np.sqrt(second[i] / (1 - BETA_2**t))
            arrays[i] -= rate * (first[i] / (1 - BETA_1**t)) / (unbiased + EPSILON)
    return arrays


@pytest.mark.parametrize("clip_norm", [1e9, 1.0], ids=["unclipped", "clipped"])
@pytest.mark.parametrize("compiled", [False, True], ids=["eager", "in a function"])
def test_equals_numpy(compiled: bool, clip_norm: float) -> None:
    model, rng = Weights(), np.random.default_rng(6)
    gradients = [[rng.normal(size=a.shape) for a in model.arrays.values()] for _ in range(5)]
    optimizer = adamw(model, **settings(clip_norm=clip_norm))

    def apply(step: list[tf.Tensor]) -> None:
        optimizer.apply(step, model.trainable_variables)

    run = tf.function(apply) if compiled else apply
    for step in gradients:
        run([tf.constant(g, tf.float32) for g in step])
    rates = [0.05, 0.1, 0.075, 0.05, 0.025]
    expected = numpy_adamw([*model.arrays.values()], gradients, rates, 0.05, clip_norm)
    for variable, array in zip(model.variables, expected, strict=True):
        np.testing.assert_allclose(np.asarray(variable), array, rtol=2e-5, atol=1e-6)


@pytest.mark.parametrize("clip_norm", [1e9, 1.0], ids=["unclipped", "clipped"])
def test_rows_of_a_table_are_as_the_whole(clip_norm: float) -> None:
    """A row that the batch reads twice has two slices."""
    rows, draw = [4, 0, 4], np.random.default_rng(8)
    slices = [draw.normal(size=(3, 3)) for _ in range(5)]
    dense = [np.zeros((5, 3)) for _ in slices]
    for whole, some in zip(dense, slices, strict=True):
        np.add.at(whole, rows, some)
    model = Weights()
    optimizer, table = adamw(model, **settings(clip_norm=clip_norm)), model.weights[-1]
    for some in slices:
        gradient = tf.IndexedSlices(tf.constant(some, tf.float32), tf.constant(rows), [5, 3])
        optimizer.apply([None] * 4 + [gradient], model.trainable_variables)
    rates = [0.05, 0.1, 0.075, 0.05, 0.025]
    steps = [[gradient] for gradient in dense]
    (expected,) = numpy_adamw([model.arrays["table"]], steps, rates, 0.05, clip_norm)
    np.testing.assert_allclose(np.asarray(table), expected, rtol=2e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("rate", "weight_decay", "steps"),
    [(1e-4, 0.01, 10), (1e-5, 0.01, 16), (1e-3, 0.1, 1)],
    ids=["ten steps' at once", "sixteen's", "each step's"],
)
def test_a_little_decay_waits_for_more(rate: float, weight_decay: float, steps: int) -> None:
    model, rates = Weights(), WarmupLinearDecay(rate, 0, 1000)
    optimizer = adamw(
        model, learning_rate=rate, warmup=0.0, weight_decay=weight_decay, clip_norm=1.0,
        total_steps=1000,
    )  # fmt: skip
    kernel = model.weights[0]
    apply = tf.function(lambda: optimizer.apply([tf.zeros(v.shape) for v in model.weights]))
    for first in (0, steps, 2 * steps):
        before = np.array(kernel)
        for _ in range(steps):
            np.testing.assert_array_equal(kernel, before)
            apply()
        share = weight_decay * sum(float(rates(step)) for step in range(first, first + steps))
        np.testing.assert_allclose(kernel, before * (1 - share), rtol=2e-7)
        assert not np.array_equal(kernel, before)


class Model(keras.layers.Layer):
    """Encoder and head."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder, self.head = Weights(), Weights("head")
        self.built = True


def steps_of(model: Model, **others: float) -> list[np.ndarray]:
    """How far each variable goes in one step from the same gradients."""
    optimizer, rng = adamw(model, **settings(weight_decay=0.0, **others)), np.random.default_rng(7)
    before = [np.array(v) for v in model.trainable_variables]
    gradients = [tf.constant(rng.normal(size=v.shape), tf.float32) for v in before]
    tf.function(lambda: optimizer.apply(gradients, model.trainable_variables))()
    return [np.asarray(v) - b for v, b in zip(model.trainable_variables, before, strict=True)]


@pytest.mark.parametrize("head_rate", [20.0, 1.0, 0.0])
def test_head_goes_further_than_the_encoder(head_rate: float) -> None:
    plain, scaled = steps_of(Model()), steps_of(Model(), head_rate=head_rate)
    factors = [1.0] * 5 + [head_rate] * 5
    for step, expected, factor in zip(scaled, plain, factors, strict=True):
        assert np.abs(expected).max() > 0
        np.testing.assert_allclose(step, expected * factor, rtol=1e-4, atol=1e-6)


def test_decay_keeps_to_the_encoders_rate() -> None:
    model = Model()
    optimizer = adamw(model, **settings(warmup=0.0, head_rate=20.0))
    optimizer.apply([tf.zeros(v.shape) for v in model.trainable_variables])
    for layer in (model.encoder, model.head):
        kept = 1 - 0.1 * 5 / 6 * 0.05
        kernel = layer.arrays["kernel"]
        np.testing.assert_allclose(np.asarray(layer.weights[0]), kernel * kept, rtol=1e-6)


def test_what_the_loss_does_not_hang_on_stays() -> None:
    model = Model()
    optimizer, before = adamw(model, **settings()), [np.array(v) for v in model.weights]
    gradients = [None if n == 1 else tf.ones(v.shape) for n, v in enumerate(before, 1)]
    optimizer.apply(gradients, model.trainable_variables)
    moved = [not np.array_equal(v, b) for v, b in zip(model.weights, before, strict=True)]
    assert moved == [False] + [True] * 9
