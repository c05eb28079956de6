"""Whatever is sent, the answer is strict JSON, never a fault of the server."""

import json
from typing import Any

import pytest
from error_requests import Http, ask, post
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from strict_json import strict

often = settings(
    max_examples=150,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)

TEXTS = st.text(st.characters(codec=None), max_size=8)
NUMBERS = st.integers() | st.floats() | st.integers(-3, 3)
LEAVES = st.none() | st.booleans() | NUMBERS | TEXTS
KEYS = TEXTS | st.sampled_from(["text", "x", "k", "b64"])
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3)
)
SIGNATURES = st.sampled_from(["numbers", "raw", "tokenize", "classify", "regress", "\ud800", "no"])
DOCUMENTS = st.fixed_dictionaries(
    {},
    optional={
        "signature_name": SIGNATURES | LEAVES,
        "instances": VALUES | st.lists(VALUES, min_size=1, max_size=3),
        "inputs": VALUES,
        "examples": VALUES | st.lists(st.dictionaries(KEYS, VALUES), min_size=1, max_size=3),
        "context": VALUES,
    },
)
ROWS = st.fixed_dictionaries(
    {"x": st.lists(st.floats(width=32), min_size=2, max_size=2), "k": st.integers(-2, 2)}
)
CALLS = st.sampled_from(["tiny:predict", "tiny:classify", "tiny:regress"])


@often
@given(call=CALLS, document=DOCUMENTS)
def test_documents(server: Any, call: str, document: Any) -> None:
    status, answer = asked(server, post(call, json.dumps(document).encode()))
    check(status, answer)


@often
@given(body=st.binary(max_size=64))
def test_noise(server: Any, body: bytes) -> None:
    assert asked(server, post("tiny:predict", body))[0] == 400


@often
@given(rows=st.lists(ROWS, min_size=1, max_size=3))
def test_numbers_that_fit(server: Any, rows: list[Any]) -> None:
    body = {"signature_name": "numbers", "instances": rows}
    status, answer = asked(server, post("tiny:predict", json.dumps(body).encode()))
    check(status, answer)
    assert status in (200, 500)


@often
@given(name=st.text(st.characters(codec="utf-8"), min_size=1, max_size=8))
def test_names(server: Any, name: str) -> None:
    from urllib.parse import quote

    status, answer = asked(server, Http("GET", f"/v1/models/{quote(name, safe='')}"))
    assert (status, set(answer)) == (404, {"error"})


@pytest.mark.parametrize("depth", [10, 40, 300, 900, 5_000, 200_000])
@pytest.mark.parametrize("key", ["instances", "inputs", "examples", "context"])
@pytest.mark.parametrize(
    ("opening", "closing"), [(b"[", b"]"), (b'{"a":', b"}")], ids=["list", "object"]
)
def test_depths(server: Any, key: str, depth: int, opening: bytes, closing: bytes) -> None:
    body = b'{"%s": %s1%s}' % (key.encode(), opening * depth, closing * depth)
    call = "tiny:predict" if key.startswith("in") else "tiny:classify"
    assert asked(server, post(call, body))[0] == 400


@pytest.mark.parametrize(
    "number", ["9" * 4_000, "9" * 100_000, "1e400", "-1e400", "1e-400", "0." + "1" * 5_000, "-0"]
)
@pytest.mark.parametrize("key", ["x", "k"])
def test_numbers_of_odd_sizes(server: Any, key: str, number: str) -> None:
    row = f'"x": [1, {number}], "k": 1' if key == "x" else f'"x": [1, 2], "k": {number}'
    body = f'{{"signature_name": "numbers", "instances": [{{{row}}}]}}'
    check(*asked(server, post("tiny:predict", body.encode())))


PATHS = ["..", "%2e%2e", "..%2f..%2fetc", "%00", "a%00b", "%ff%fe", "%", "%zz", "a%20b", "*", "~"]


@pytest.mark.parametrize("name", [*PATHS, "%E2%80%AE", "a" * 10_000, "%2Fv1%2Fmodels%2Ftiny"])
def test_odd_names_are_names_of_no_model(server: Any, name: str) -> None:
    for request in (
        post(f"{name}:predict", {"instances": ["a"]}),
        Http("GET", f"/v1/models/{name}"),
    ):
        status, answer = asked(server, request)
        assert (status, set(answer)) == (404, {"error"})


def check(status: int, answer: Any) -> None:
    """An answer, a fault of the request, or numbers that JSON cannot hold; nothing else."""
    if status == 500:
        assert "has NaN or infinite values" in answer["error"]
    else:
        assert status in (200, 400), answer
        assert ("error" in answer) == (status == 400)


def asked(server: Any, request: Http) -> tuple[int, Any]:
    status, body = ask(server.rest_port, request)
    return status, strict(body)
