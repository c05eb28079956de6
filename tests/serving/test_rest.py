"""REST v1 over a real socket; every body is read by a strict parser (conftest)."""

from collections.abc import Callable
from typing import Any

import pytest


def test_rows_are_objects(rest: Callable, client: Any) -> None:
    status, answer = rest("/v1/models/tiny:predict", {"instances": ["a good film", ""]})
    assert (status, answer) == (200, {"predictions": client.predict(["a good film", ""])})


def test_columns(rest: Callable, client: Any) -> None:
    status, answer = rest("/v1/models/tiny:predict", {"inputs": {"text": ["a", "film"]}})
    rows = client.predict(["a", "film"])
    assert status == 200
    assert answer["outputs"] == {name: [row[name] for row in rows] for name in rows[0]}


@pytest.mark.parametrize(
    "path",
    [
        "/v1/models/tiny/versions/1:predict",
        "/V1/MODELS/tiny/Versions/1:predict",
        "/v1/models/t%69ny:predict",
    ],
    ids=["version", "any case", "escaped"],
)
def test_ways_to_name_the_model(rest: Callable, path: str) -> None:
    status, answer = rest(path, {"instances": ["a"]})
    assert (status, answer["predictions"][0]["label"]) == (200, "rotten")


def test_a_signature_may_be_named(rest: Callable) -> None:
    body = {"signature_name": "tokenize", "instances": [{"text": "good films"}]}
    status, answer = rest("/v1/models/tiny:predict", body)
    assert status == 200
    assert answer["predictions"][0]["pieces"] == ["good", "film", "##s"]


def test_bytes_that_are_no_text(rest: Callable) -> None:
    body = {"signature_name": "raw", "instances": [{"b64": "//4="}, "é"]}
    _, answer = rest("/v1/models/tiny:predict", body)
    assert answer["predictions"] == [
        {"same": {"b64": "//4="}, "same_bytes": {"b64": "//4="}},
        {"same": "é", "same_bytes": {"b64": "w6k="}},
    ]


def test_several_inputs_that_are_no_strings(rest: Callable) -> None:
    row = {"x": [1, 0.5], "k": 4}
    body = {"signature_name": "numbers", "instances": [row, row]}
    _, answer = rest("/v1/models/tiny:predict", body)
    assert answer["predictions"] == [{"inverse": 0.25, "sum": 1.5}] * 2


def test_status(rest: Callable) -> None:
    entry = {
        "version": "1",
        "state": "AVAILABLE",
        "status": {"error_code": "OK", "error_message": ""},
    }
    expected = (200, {"model_version_status": [entry]})
    assert rest("/v1/models/tiny") == rest("/v1/models/tiny/versions/1") == expected


def test_metadata(rest: Callable) -> None:
    status, answer = rest("/v1/models/tiny/metadata")
    text = answer["metadata"]["signature_def"]["signature_def"]["serving_default"]["inputs"]["text"]
    assert (status, answer["model_spec"]["version"]) == (200, "1")
    assert "__saved_model_init_op" in answer["metadata"]["signature_def"]["signature_def"]
    numbers = answer["metadata"]["signature_def"]["signature_def"]["numbers"]["inputs"]["x"]
    assert numbers["dtype"] == "DT_FLOAT"
    assert (text["dtype"], text["tensor_shape"]["dim"][0]["size"]) == ("DT_STRING", "-1")


def test_the_body_has_a_limit(rest: Callable) -> None:
    status, answer = rest("/v1/models/tiny:predict", b" " * ((64 << 20) + 1))
    assert (status, "larger than" in answer["error"]) == (413, True)
