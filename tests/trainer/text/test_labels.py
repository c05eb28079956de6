"""Spans to tags: aligned ones as they are, misaligned ones counted and unknown, never O."""

from typing import NamedTuple

import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from trainer.text.labels import Spans, word_tags
from trainer.text.word_spans import word_spans

Span = tuple[int, int, int]  # start, end, type


class Case(NamedTuple):
    words: list[tuple[int, int]]
    spans: list[Span]
    tags: list[int]
    misaligned: int


CASES = {
    "none": Case([(0, 3), (4, 8)], [], [0, 0], 0),
    "one word": Case([(0, 3), (4, 8)], [(4, 8, 0)], [0, 1], 0),
    "two words": Case([(0, 3), (4, 8)], [(0, 8, 1)], [3, 4], 0),
    "neighbours of one type": Case([(0, 3), (4, 8)], [(0, 3, 0), (4, 8, 0)], [1, 1], 0),
    "touching words": Case([(0, 1), (1, 2), (2, 3)], [(0, 1, 0), (1, 3, 1)], [1, 3, 4], 0),
    "space at its edges": Case([(1, 3), (4, 8)], [(0, 4, 2)], [5, 0], 0),
    "ends inside a word": Case([(0, 3), (4, 8)], [(0, 6, 0)], [-1, -1], 1),
    "begins inside a word": Case([(0, 3), (4, 8), (9, 10)], [(1, 8, 0)], [-1, -1, 0], 1),
    "inside a word": Case([(0, 8), (9, 10)], [(2, 4, 0), (9, 10, 0)], [-1, 1], 1),
    "two in a word": Case([(0, 8)], [(0, 4, 0), (4, 8, 0)], [-1], 2),
    "no word in it": Case([(0, 3), (6, 8)], [(4, 5, 0)], [0, 0], 1),
    "no words": Case([], [(0, 1, 0)], [], 1),
    "unknown type": Case([(0, 3), (4, 8)], [(0, 3, -1)], [-1, 0], 0),
}


def ragged(rows: list[list[int]]) -> tf.RaggedTensor:
    return tf.ragged.constant(rows, tf.int64, ragged_rank=1)


def tagged(cases: list[Case]) -> tuple[list[list[int]], list[int]]:
    starts, ends = (ragged([[word[i] for word in case.words] for case in cases]) for i in (0, 1))
    spans = Spans(*(ragged([[span[i] for span in case.spans] for case in cases]) for i in range(3)))
    found = word_tags(starts, ends, spans)
    return found.tags.to_list(), found.misaligned.numpy().tolist()


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_alone(case: Case) -> None:
    assert tagged([case]) == ([case.tags], [case.misaligned])


def test_in_one_batch() -> None:
    cases = list(CASES.values())
    assert tagged(cases) == ([case.tags for case in cases], [case.misaligned for case in cases])


def test_no_rows() -> None:
    assert tagged([]) == ([], [])


def plainly(case: Case) -> tuple[list[int], int]:
    """The same, by looking at every word and span."""
    tags, misaligned = [0] * len(case.words), 0
    for start, end, kind in case.spans:
        touched = [n for n, (b, e) in enumerate(case.words) if b < end and e > start]
        inside = all(case.words[n][0] >= start and case.words[n][1] <= end for n in touched)
        misaligned += not (touched and inside)
        for n in touched:
            known = inside and kind >= 0
            tags[n] = 1 + 2 * kind + (n != touched[0]) if known else -1
    return tags, misaligned


@st.composite
def any_case(draw: st.DrawFn) -> Case:
    def stretches(most: int) -> list[tuple[int, int]]:
        edges = sorted(draw(st.lists(st.integers(0, 30), max_size=most, unique=True)))
        return list(zip(edges[::2], edges[1::2], strict=False))

    spans = [(start, end, draw(st.integers(-1, 3))) for start, end in stretches(12)]
    return Case(stretches(20), spans, [], 0)


@settings(max_examples=150, deadline=None)
@given(st.lists(any_case(), max_size=3))
def test_as_looking_at_every_word_and_span(cases: list[Case]) -> None:
    tags, misaligned = tagged(cases)
    assert [*zip(tags, misaligned, strict=True)] == [plainly(case) for case in cases]


@pytest.mark.parametrize(
    ("first", "starts", "ends", "words"),
    [
        ([[0, 1, 0, 1, 0]], [[0, 0, 4, 8, 0]], [[0, 4, 7, 9, 0]], ([[0, 8]], [[7, 9]])),
        ([[0, 0], [0, 1, 0]], [[0, 0], [0, 2, 0]], [[0, 0], [0, 3, 0]], ([[], [2]], [[], [3]])),
        ([], [], [], ([], [])),
    ],
    ids=["rest of a word", "empty text", "no rows"],
)
def test_word_spans(first: list, starts: list, ends: list, words: tuple[list, list]) -> None:
    found = word_spans(ragged(first), ragged(starts), ragged(ends))
    assert tuple(edges.to_list() for edges in found) == words
