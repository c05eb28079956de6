"""HTTP around the API: gzip both ways, keep-alive, chunks, other methods, CORS."""

import gzip
import http.client
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from strict_json import strict

PREDICT = "/v1/models/tiny:predict"
LONG = {"signature_name": "raw", "instances": ["film " * 1000]}
LIMIT = 1 << 20


@pytest.fixture(scope="module")
def opened(server: Any) -> Iterator[Callable[..., int]]:
    """opened(limits=…, …) -> the port of another REST server for the same model."""
    from serving.server.listen import RestServer, bound_socket
    from serving.server.rest import application

    started: list[Any] = []

    def serve(threads: int = 2, **options: Any) -> int:
        listening = bound_socket("127.0.0.1", 0, "--rest-port")
        started.append(RestServer(application(server.models, threads, **options), listening, 1.0))
        return listening.getsockname()[1]

    yield serve
    for one in started:
        one.stop()


@pytest.fixture(scope="module")
def limited(opened: Callable[..., int]) -> int:
    from serving.server.rest_body import BodyLimits

    return opened(limits=BodyLimits(max_bytes=LIMIT), allow_origins=["https://a.example"])


@pytest.fixture
def connection(limited: int) -> Iterator[http.client.HTTPConnection]:
    made = http.client.HTTPConnection("127.0.0.1", limited, timeout=60)
    yield made
    made.close()


def ask(
    connection: http.client.HTTPConnection,
    body: Any = None,
    method: str = "POST",
    path: str = PREDICT,
    **headers: str,
) -> tuple[int, http.client.HTTPMessage, bytes]:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    data = json.dumps(body).encode() if isinstance(body, dict) else body
    connection.request(method, path, data, named)
    answer = connection.getresponse()
    return answer.status, answer.headers, answer.read()


def test_a_gzipped_request(connection: Any) -> None:
    packed = gzip.compress(json.dumps(LONG).encode())
    status, _, body = ask(connection, packed, Content_Encoding="gzip")
    assert (status, strict(body)["predictions"][0]["same"]) == (200, LONG["instances"][0])


@pytest.mark.parametrize("accepted", ["gzip", "deflate, gzip;q=0.5", "*"])
def test_a_gzipped_answer(connection: Any, accepted: str) -> None:
    status, headers, body = ask(connection, LONG, Accept_Encoding=accepted)
    assert (status, headers["Content-Encoding"]) == (200, "gzip")
    assert "Accept-Encoding" in headers["Vary"]
    assert strict(gzip.decompress(body)) == strict(ask(connection, LONG)[2])


@pytest.mark.parametrize("accepted", ["identity", "deflate", "gzip;q=0"])
def test_an_answer_that_must_be_plain(connection: Any, accepted: str) -> None:
    _, headers, body = ask(connection, LONG, Accept_Encoding=accepted)
    assert "Content-Encoding" not in headers
    assert "predictions" in strict(body)


BROKEN = {
    "a bomb": (gzip.compress(b" " * (LIMIT + 1)), "gzip", 413, "larger than 1048576 bytes"),
    "cut off": (gzip.compress(b"{}")[:-4], "gzip", 400, "one whole gzip stream"),
    "more after it": (gzip.compress(b"{}") + b"x", "gzip", 400, "one whole gzip stream"),
    "empty": (b"", "gzip", 400, "one whole gzip stream"),
    "another encoding": (b"{}", "br", 415, "br is not supported"),
    "too large": (b" " * (LIMIT + 1), "identity", 413, "larger than 1048576 bytes"),
}


@pytest.mark.parametrize(("body", "encoding", "code", "says"), BROKEN.values(), ids=BROKEN.keys())
def test_refused_bodies(connection: Any, body: bytes, encoding: str, code: int, says: str) -> None:
    status, _, answer = ask(connection, body, Content_Encoding=encoding)
    assert (status, says in strict(answer)["error"]) == (code, True)
    assert ask(connection, {"instances": ["a"]})[0] == 200


def test_a_body_of_unknown_length_has_the_limit_too(connection: Any) -> None:
    chunks = (b" " * (LIMIT // 4) for _ in range(5))
    status, _, answer = ask(connection, chunks)
    assert (status, "larger than" in strict(answer)["error"]) == (413, True)


def test_chunks_and_keep_alive(connection: Any) -> None:
    for _ in range(3):
        status, headers, _ = ask(connection, iter([b'{"inst', b'ances": ["a"]}']))
        assert (status, headers.get("Connection")) == (200, None)
        socket = connection.sock
    assert connection.sock is socket is not None


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS", "PUT", "DELETE", "PATCH"])
def test_other_methods_are_malformed(connection: Any, method: str) -> None:
    status, _, body = ask(connection, b"{}", method)
    assert status == 400
    assert body == b"" or strict(body) == {"error": f"Malformed request: {method} {PREDICT}"}


def test_an_unknown_method(connection: Any) -> None:
    status, _, body = ask(connection, b"", "BREW")
    assert (status, set(strict(body))) == (501, {"error"})


def test_a_page_of_an_allowed_origin(connection: Any) -> None:
    origin = "https://a.example"
    asked = {
        "Access_Control_Request_Method": "POST",
        "Access_Control_Request_Headers": "Content-Type",
    }
    status, headers, _ = ask(connection, None, "OPTIONS", Origin=origin, **asked)
    assert (status, headers["Access-Control-Allow-Origin"]) == (200, origin)
    assert headers["Access-Control-Allow-Methods"] == "POST, GET"
    status, headers, _ = ask(connection, {"instances": ["a"]}, Origin=origin)
    assert (status, headers["Access-Control-Allow-Origin"]) == (200, origin)


def test_a_page_of_another_origin(connection: Any, server: Any) -> None:
    _, headers, _ = ask(connection, {"instances": ["a"]}, Origin="https://b.example")
    assert "Access-Control-Allow-Origin" not in headers
    closed = http.client.HTTPConnection("127.0.0.1", server.rest_port, timeout=60)
    _, headers, _ = ask(closed, {"instances": ["a"]}, Origin="https://a.example")
    closed.close()
    assert "Access-Control-Allow-Origin" not in headers


def test_any_origin(opened: Callable[..., int]) -> None:
    port = opened(allow_origins=["*"])
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    _, headers, _ = ask(connection, {"instances": ["a"]}, Origin="https://b.example")
    connection.close()
    assert headers["Access-Control-Allow-Origin"] == "*"
