"""A text cut at its entities: nothing is lost, and every entity has its type."""

from typing import Any

import pytest

from pipeline.spans import parts


@pytest.mark.parametrize(
    ("text", "spans", "expected"),
    [
        ("no one", [], [("no one", "")]),
        ("", [], [("", "")]),
        ("Ada saw Rome", [(0, 3, "PER"), (8, 12, "LOC")],
         [("", ""), ("Ada", "PER"), (" saw ", ""), ("Rome", "LOC"), ("", "")]),
        ("AdaRome", [(0, 3, "PER"), (3, 7, "LOC")],
         [("", ""), ("Ada", "PER"), ("", ""), ("Rome", "LOC"), ("", "")]),
        ("Zoë!".encode(), [(0, 4, "PER")], [(b"", ""), ("Zoë".encode(), "PER"), (b"!", "")]),
    ],
    ids=["no entity", "no text", "first and last", "side by side", "bytes"],
)  # fmt: skip
def test_parts(text: Any, spans: list[tuple[int, int, str]], expected: list[Any]) -> None:
    assert [*parts(text, spans)] == expected
