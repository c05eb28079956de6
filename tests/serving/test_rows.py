"""Batched answers cut into rows."""

from typing import Any

import numpy as np
import pytest

from serving.rows import rows


def texts(*values: Any) -> np.ndarray:
    return np.array(values, dtype=object)


TABLE = {
    "classify": (
        {
            "label": texts(b"fresh", b"rotten"),
            "labels": texts([b"a", b"b"], [b"a", b"b"]),
            "scores": np.array([[0.2, 0.8], [0.9, 0.1]], np.float32),
        },
        [
            {"label": "fresh", "labels": ["a", "b"], "scores": [0.2, 0.8]},
            {"label": "rotten", "labels": ["a", "b"], "scores": [0.9, 0.1]},
        ],
    ),
    "tokenize: all that is as wide as the pieces goes by their number": (
        {
            "pieces": texts([b"a", b""], [b"b", b"c"]),
            "starts": np.array([[0, -1], [0, 2]], np.int32),
            "n_pieces": np.array([1, 2], np.int32),
        },
        [
            {"pieces": ["a"], "starts": [0], "n_pieces": 1},
            {"pieces": ["b", "c"], "starts": [0, 2], "n_pieces": 2},
        ],
    ),
    "tag: entities by their own count, though as wide as the tokens": (
        {
            "tokens": texts([b"Ada", b"", b""]),
            "tags": texts([b"B-PER", b"", b""]),
            "starts": np.array([[0, -1, -1]]),
            "n_tokens": np.array([1]),
            "entities": texts([b"Ada", b"x", b""]),
            "entity_types": texts([b"PER", b"y", b""]),
            "n_entities": np.array([2]),
        },
        [
            {
                "tokens": ["Ada"],
                "tags": ["B-PER"],
                "starts": [0],
                "n_tokens": 1,
                "entities": ["Ada", "x"],
                "entity_types": ["PER", "y"],
                "n_entities": 2,
            }
        ],
    ),
    "classes are no tokens": (
        {
            "tokens": texts([b"a", b""]),
            "n_tokens": np.array([1]),
            "scores": np.array([[0.5, 0.25, 0.25]]),
        },
        [{"tokens": ["a"], "n_tokens": 1, "scores": [0.5, 0.25, 0.25]}],
    ),
    "no rows": ({"label": texts(), "score": np.zeros([0], np.float32)}, []),
    "a scalar is every row's": (
        {"a": np.array([1, 2]), "model": np.array(b"m", dtype=object)},
        [{"a": 1, "model": "m"}, {"a": 2, "model": "m"}],
    ),
    "bytes stay bytes where the name says so": (
        {"x_bytes": texts(b"\xff"), "x": texts(b"\xff")},
        [{"x_bytes": b"\xff", "x": "\ufffd"}],
    ),
}


@pytest.mark.parametrize(("outputs", "expected"), TABLE.values(), ids=TABLE.keys())
def test_rows(outputs: dict[str, np.ndarray], expected: list[dict[str, Any]]) -> None:
    assert rows(outputs) == expected
