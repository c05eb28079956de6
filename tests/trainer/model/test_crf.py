"""The CRF beside a brute force that writes down every path and adds up its raw scores."""

import itertools
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from trainer.model import crf
from trainer.model.tags import legal_starts, legal_transitions


class Case(NamedTuple):
    """float64, so that what is compared is the formula and not the rounding."""

    emissions: np.ndarray  # [B, W, K]
    transitions: np.ndarray  # [K, K]
    starts: np.ndarray  # [K]
    lengths: np.ndarray  # [B]
    tags: np.ndarray  # [B, W], -1 unknown

    @property
    def scores(self) -> tuple[tf.Tensor, ...]:
        return tuple(map(tf.constant, (self.emissions, self.transitions, self.starts)))

    def rows(self) -> Iterator[tuple[int, np.ndarray, list[tuple[int, ...]], np.ndarray]]:
        """Row number, its known tags, all its paths and their scores."""
        for b, (row, length) in enumerate(zip(self.emissions, self.lengths, strict=True)):
            paths = list(itertools.product(range(row.shape[1]), repeat=int(length)))
            yield b, self.tags[b, :length], paths, np.array([self.score(row, p) for p in paths])

    def score(self, row: np.ndarray, path: tuple[int, ...]) -> float:
        total = self.starts[path[0]] if path else 0.0
        total += sum(row[word, tag] for word, tag in enumerate(path))
        return total + sum(self.transitions[a, b] for a, b in itertools.pairwise(path))


def log_sum_exp(scores: np.ndarray) -> float:
    return scores.max() + np.log(np.exp(scores - scores.max()).sum())


def fits(path: tuple[int, ...], tags: np.ndarray) -> bool:
    return all(known in (-1, tag) for tag, known in zip(path, tags, strict=True))


def make(seed: int, batch: int, words: int, tags: int, size: float = 1.0) -> Case:
    rng = np.random.default_rng(seed)
    return Case(
        emissions=rng.normal(size=(batch, words, tags)) * size,
        transitions=rng.normal(size=(tags, tags)) * size,
        starts=rng.normal(size=tags) * size,
        lengths=rng.integers(0, words + 1, batch).astype(np.int32),
        tags=rng.integers(-1, tags, (batch, words)).astype(np.int32),
    )


CASES = {
    "lengths differ": make(0, batch=6, words=4, tags=3),
    "length 0 and 1": make(1, 2, 4, 3)._replace(lengths=np.array([0, 1], np.int32)),
    "one word wide": make(2, 3, 1, 5),
    "no words at all": make(3, 3, 0, 3),
    "no rows": make(4, 0, 4, 3),
    "neither": make(5, 0, 0, 3),
    "one tag": make(6, 3, 4, 1),
    "longest is full": make(7, 2, 5, 3)._replace(lengths=np.array([5, 2], np.int32)),
    "huge": make(8, 4, 4, 3, size=1e6),
    "all known": (case := make(9, 4, 4, 3))._replace(tags=np.abs(case.tags)),
    "none known": make(10, 4, 4, 3)._replace(tags=np.full((4, 4), -1, np.int32)),
}
all_cases = pytest.mark.parametrize("case", CASES.values(), ids=CASES)


@all_cases
def test_log_partition(case: Case) -> None:
    got = crf.log_partition(*case.scores, case.lengths)
    expected = [log_sum_exp(scores) for *_, scores in case.rows()]
    np.testing.assert_allclose(got, expected, rtol=1e-9, atol=1e-9)


@all_cases
def test_partition_of_allowed_tags(case: Case) -> None:
    allowed = np.random.default_rng(0).random(case.emissions.shape) < 0.5
    allowed[..., 0] = True
    got = crf.log_partition(*case.scores, case.lengths, allowed)
    for b, _, paths, scores in case.rows():
        kept = [all(allowed[b, w, tag] for w, tag in enumerate(path)) for path in paths]
        np.testing.assert_allclose(got[b], log_sum_exp(scores[kept]), rtol=1e-9, atol=1e-9)


@all_cases
def test_log_likelihood(case: Case) -> None:
    got = crf.log_likelihood(*case.scores, case.tags, case.lengths)
    assert got.shape == case.lengths.shape
    for b, tags, paths, scores in case.rows():
        kept = scores[[fits(path, tags) for path in paths]]
        expected = log_sum_exp(kept) - log_sum_exp(scores)
        np.testing.assert_allclose(got[b], expected, rtol=1e-7, atol=1e-9)


@all_cases
def test_marginals(case: Case) -> None:
    got = crf.marginals(*case.scores, case.lengths).numpy()
    expected = np.zeros_like(case.emissions)
    for b, _, paths, scores in case.rows():
        for path, probability in zip(paths, np.exp(scores - log_sum_exp(scores)), strict=True):
            for word, tag in enumerate(path):
                expected[b, word, tag] += probability
    np.testing.assert_allclose(got, expected, atol=1e-9)


@all_cases
def test_viterbi(case: Case) -> None:
    tags, best = crf.viterbi(*case.scores, case.lengths)
    assert tags.shape == case.tags.shape
    assert tags.dtype == tf.int32
    for b, _, paths, scores in case.rows():
        path, padding = np.split(tags[b].numpy(), [case.lengths[b]])
        np.testing.assert_allclose(best[b], scores.max(), rtol=1e-12)
        assert tuple(path) == paths[int(scores.argmax())]
        assert not padding.any()


@all_cases
def test_gradients_are_numerical_ones(case: Case) -> None:
    if case is CASES["huge"]:
        pytest.skip("differences of huge numbers have no digits left")

    def total(*scores: tf.Tensor) -> tf.Tensor:
        weights = tf.range(1.0, len(case.lengths) + 1, dtype=tf.float64)
        return tf.reduce_sum(weights * crf.log_likelihood(*scores, case.tags, case.lengths))

    for exact, numerical in zip(*tf.test.compute_gradient(total, case.scores), strict=True):
        np.testing.assert_allclose(exact, numerical, atol=1e-6)


@given(
    st.integers(0, 2**31), st.integers(0, 4), st.integers(0, 5), st.integers(1, 4),
    st.sampled_from([0.0, 1e-3, 1.0, 30.0]),
)  # fmt: skip
@settings(max_examples=30, deadline=None)
def test_any_shape(seed: int, batch: int, words: int, tags: int, size: float) -> None:
    case = make(seed, batch, words, tags, size)
    test_log_likelihood(case)
    test_marginals(case)
    path, best = crf.viterbi(*case.scores, case.lengths)
    for b, _, paths, scores in case.rows():  # with size 0 all paths are equally good
        assert tuple(path[b, : case.lengths[b]].numpy()) in paths
        np.testing.assert_allclose(best[b], scores.max(), atol=1e-9)


def test_forbidden_transitions_where_they_would_win() -> None:
    case = make(11, batch=5, words=4, tags=5)  # O, B-X, I-X, B-Y, I-Y
    case = case._replace(lengths=np.array([4, 4, 3, 2, 1], np.int32))
    case.emissions[..., [2, 4]] += 50.0  # I everywhere
    case.transitions[0, 2] += 100.0
    emissions, *learned = case.scores
    transitions, starts = crf.forbid(*learned, types=2)
    legal, begins = legal_transitions(2), legal_starts(2)
    tags, best = crf.viterbi(emissions, transitions, starts, case.lengths)
    unrestrained, _ = crf.viterbi(*case.scores, case.lengths)
    probabilities = crf.marginals(emissions, transitions, starts, case.lengths).numpy()
    for b, _, paths, scores in case.rows():
        kept = [
            all(legal[pair] for pair in itertools.pairwise(path)) and bool(begins[path[0]])
            for path in paths
        ]
        expected = [path for path, is_legal in zip(paths, kept, strict=True) if is_legal]
        length = case.lengths[b]
        assert tuple(tags[b, :length].numpy()) == expected[int(scores[kept].argmax())]
        assert not kept[paths.index(tuple(unrestrained[b, :length].numpy()))]
        np.testing.assert_allclose(best[b], scores[kept].max())
        np.testing.assert_allclose(probabilities[b, 0, [2, 4]], 0.0)


HUGE = {
    "emissions": lambda rng: rng.choice([-1e25, 0.0, 1e25], (3, 6, 5)),
    "differences": lambda rng: rng.normal(size=(3, 6, 5)) * 1e4,
    "all alike": lambda rng: np.full((3, 6, 5), 1e20),
}


@pytest.mark.parametrize("made", HUGE.values(), ids=HUGE)
@pytest.mark.parametrize("restrained", [True, False], ids=["forbidden", "free"])
def test_finite_in_float32(made, restrained: bool) -> None:
    rng = np.random.default_rng(12)
    emissions = tf.Variable(made(rng), dtype=tf.float32)
    transitions, starts = tf.Variable(rng.normal(size=(5, 5)), dtype=tf.float32), tf.zeros(5)
    tags = rng.integers(-1, 5, (3, 6)).astype(np.int32)  # illegal ones among them
    lengths = np.array([6, 3, 0], np.int32)
    with tf.GradientTape() as tape:
        used = crf.forbid(transitions, starts, 2) if restrained else (transitions, starts)
        likelihood = crf.log_likelihood(emissions, *used, tags, lengths)
    gradients = tape.gradient(likelihood, [emissions, transitions])
    marginals = crf.marginals(emissions, *used, lengths)
    for tensor in (likelihood, *gradients, marginals, crf.viterbi(emissions, *used, lengths)[1]):
        assert np.isfinite(tensor).all()
    np.testing.assert_allclose(
        tf.reduce_sum(marginals, -1), tf.sequence_mask(lengths, 6), rtol=1e-5
    )


def test_padding_counts_for_nothing() -> None:
    case = make(13, 4, 5, 3)
    other = case.emissions.copy()
    other[~(np.arange(5) < case.lengths[:, None])] = np.nan
    for function in (crf.log_partition, crf.marginals, lambda *a: crf.viterbi(*a)[0]):
        args = (*case.scores[1:], case.lengths)
        np.testing.assert_array_equal(function(case.emissions, *args), function(other, *args))


def test_one_trace_for_all_widths() -> None:
    @tf.function(
        input_signature=[
            tf.TensorSpec([None, None, 3], tf.float64), tf.TensorSpec([None, None], tf.int32),
            tf.TensorSpec([None], tf.int32),
        ]
    )  # fmt: skip
    def gradient(emissions: tf.Tensor, tags: tf.Tensor, lengths: tf.Tensor) -> tf.Tensor:
        with tf.GradientTape() as tape:
            tape.watch(emissions)
            scores = (emissions, *CASES["huge"].scores[1:])
            likelihood = crf.log_likelihood(*scores, tags, lengths)
        return tape.gradient(likelihood, emissions)

    for case in (make(14, 3, words, 3) for words in (4, 0, 1, 7)):
        got = gradient(case.emissions, case.tags, case.lengths)
        assert got.shape == case.emissions.shape
