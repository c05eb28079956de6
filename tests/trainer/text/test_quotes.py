"""What stands at byte spans, and where that is in code points."""

import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from trainer.text.quotes import Quotable

CASES = {
    "ascii": (b"ab cd", [(0, 2), (3, 5)], ["ab", "cd"], [(0, 2), (3, 5)]),
    "two and three bytes": ("Où 中文".encode(), [(0, 3), (4, 7)], ["Où", "中"], [(0, 2), (3, 4)]),
    "emoji": ("a😀b".encode(), [(1, 5), (5, 6)], ["😀", "b"], [(1, 2), (2, 3)]),
    "combining mark": ("e\u0301x".encode(), [(0, 3), (3, 4)], ["e\u0301", "x"], [(0, 2), (2, 3)]),
    "invalid byte": (b"a\xffb", [(0, 1), (1, 2), (2, 3)], ["a", "�", "b"],
                     [(0, 1), (1, 2), (2, 3)]),
    "NUL": (b"a\0b", [(0, 3)], ["a\0b"], [(0, 3)]),
    "nothing": (b"", [], [], []),
}  # fmt: skip


def quoted(texts: list[bytes], spans: list[list[tuple[int, int]]]) -> list:
    edges = [
        tf.ragged.constant([[span[i] for span in row] for row in spans], tf.int32, ragged_rank=1)
        for i in (0, 1)
    ]
    text, first, last = Quotable(tf.constant(texts, tf.string)).quote(*edges)
    rows = zip(text.to_list(), first.to_list(), last.to_list(), strict=True)
    return [([t.decode() for t in row], list(zip(f, e, strict=True))) for row, f, e in rows]


@pytest.mark.parametrize(("text", "spans", "strings", "places"), CASES.values(), ids=CASES)
def test_by_hand(
    text: bytes, spans: list[tuple[int, int]], strings: list[str], places: list[tuple[int, int]]
) -> None:
    assert quoted([text], [spans]) == [(strings, places)]


def test_in_one_batch() -> None:
    texts, spans, strings, places = zip(*CASES.values(), strict=True)
    assert quoted(list(texts), list(spans)) == list(zip(strings, places, strict=True))


def test_no_rows() -> None:
    assert quoted([], []) == []


@settings(max_examples=100, deadline=None)
@given(st.lists(st.text(alphabet="aß中😀\u0301 \u200d", max_size=12), min_size=1, max_size=3))
def test_code_points_index_the_text(texts: list[str]) -> None:
    spans = []
    for text in texts:
        sizes = [len(character.encode()) for character in text]
        begins = [sum(sizes[:n]) for n in range(len(sizes) + 1)]
        spans.append(list(zip(begins[:-1:2], begins[1::2], strict=False)))
    for text, (strings, places) in zip(
        texts, quoted([text.encode() for text in texts], spans), strict=True
    ):
        assert [text[first:last] for first, last in places] == strings
