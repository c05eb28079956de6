"""Classify and regress over REST: JSON features in, rows of [label, score] and values out."""

from typing import Any

import pytest
from error_requests import Http, ask, post
from strict_json import strict

A = {"text": "a good film"}


def test_classify_answers_as_predict(server: Any) -> None:
    body = {"signature_name": "classify", "examples": [A, {"text": ""}]}
    status, answer = asked(server, post("tiny:classify", body))
    rows = asked(server, post("tiny:predict", {"instances": ["a good film", ""]}))[1]["predictions"]
    assert status == 200
    assert answer == {
        "results": [
            [list(pair) for pair in zip(r["labels"], r["scores"], strict=True)] for r in rows
        ]
    }


@pytest.mark.parametrize(
    "path", ["tiny:regress", "tiny/versions/1:regress", "tiny/versions/001:regress"]
)
def test_regress(server: Any, path: str) -> None:
    body = {"signature_name": "regress", "examples": [A, A]}
    status, answer = asked(server, post(path, body))
    (score,) = asked(server, post("tiny:predict", {"instances": ["a good film"]}))[1]["predictions"]
    assert (status, answer) == (200, {"results": [score["scores"][1]] * 2})


@pytest.mark.parametrize(
    "example",
    [
        {"text": ["a good film"]},
        {"text": {"b64": "YSBnb29kIGZpbG0="}},
        {"text": [{"b64": "YSBnb29kIGZpbG0"}]},
        {"text": "a good film", "more": [1, 2], "yet": 1.5, "flag": True, "none": []},
    ],
    ids=["list", "base64", "base64 without padding", "features nobody reads"],
)
def test_forms_of_a_feature(server: Any, example: Any) -> None:
    plain, formed = (
        asked(server, post("tiny:regress", {"signature_name": "regress", "examples": [one]}))
        for one in (A, example)
    )
    assert plain == formed
    assert plain[0] == 200


@pytest.mark.parametrize("x", [1.5, [1.5], 2.0], ids=["number", "list", "whole number"])
def test_numbers(shared_server: Any, x: Any) -> None:
    body = {"signature_name": "regress", "examples": [{"x": x}]}
    value = x[0] if isinstance(x, list) else x
    assert asked(shared_server, post("shared:regress", body)) == (200, {"results": [2 * value]})


def test_a_context_is_part_of_every_example(shared_server: Any) -> None:
    body = {"signature_name": "classify", "context": {"x": 0.5}, "examples": [{}, {"x": 2.5}]}
    status, answer = asked(shared_server, post("shared:classify", body))
    expected = [[["plus", x], ["minus", -x]] for x in (0.5, 2.5)]
    assert (status, answer) == (200, {"results": expected})


def asked(server: Any, request: Http) -> tuple[int, Any]:
    status, body = ask(server.rest_port, request)
    return status, strict(body)
