"""Clients that are slow, silent, gone or no HTTP at all: cut off, and nobody else waits for them.

The timeouts are short here; every wait is for the server's own end of the connection.
"""

import json
import select
import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from strict_json import strict

BODY = json.dumps({"instances": ["a"]}).encode()
HEAD = b"POST /v1/models/tiny:predict HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n"


@pytest.fixture(scope="module")
def port(server: Any) -> Iterator[int]:
    """Of a REST server with one thread and little patience."""
    from serving.server import http_connection
    from serving.server.listen import RestServer, bound_socket
    from serving.server.rest import application
    from serving.server.rest_body import BodyLimits

    with pytest.MonkeyPatch.context() as patch:
        for name in ("head_seconds", "reader_seconds", "rest_of_body_seconds"):
            patch.setattr(http_connection.Connection, name, 0.5)
        listening = bound_socket("127.0.0.1", 0, "--rest-port")
        app = application(server.models, 1, limits=BodyLimits(max_bytes=64 << 20, seconds=2.0))
        running = RestServer(app, listening, 1.0)
        yield listening.getsockname()[1]
        running.stop()


@pytest.fixture
def connect(port: int) -> Iterator[Callable[..., socket.socket]]:
    opened: list[socket.socket] = []

    def make(data: bytes, receive_buffer: int | None = None) -> socket.socket:
        made = socket.socket()
        opened.append(made)
        if receive_buffer:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        made.settimeout(60)
        made.connect(("127.0.0.1", port))
        made.sendall(data)
        return made

    yield make
    for one in opened:
        one.close()


def rest_of(connection: socket.socket) -> bytes:
    """All the server still says until it closes the connection."""
    said = b""
    try:
        while part := connection.recv(1 << 16):
            said += part
    except ConnectionResetError:
        pass
    return said


def answer_to(connection: socket.socket) -> tuple[int, Any]:
    said = b""
    while b"\r\n\r\n" not in said or not said.endswith(b"}"):
        part = connection.recv(1 << 16)
        assert part, said
        said += part
    head, _, body = said.partition(b"\r\n\r\n")
    return int(head.split()[1]), strict(body)


def answered(connect: Callable[..., socket.socket]) -> bool:
    status, answer = answer_to(connect(HEAD % len(BODY) + BODY))
    return status == 200 and answer["predictions"][0]["label"] == "rotten"


def test_a_body_that_trickles(connect: Callable[..., socket.socket]) -> None:
    slow = [connect(HEAD % len(BODY) + BODY[:5]) for _ in range(20)]
    assert answered(connect)
    for connection in slow:
        status, answer = answer_to(connection)
        assert (status, "did not arrive within" in answer["error"]) == (408, True)
    assert answered(connect)


HEADS = {
    "nothing": b"",
    "half a line": b"POST /v1/mod",
    "half a head": b"POST /v1/models/tiny:predict HTTP/1.1\r\nHost: x\r\nX-Slow: ",
}


@pytest.mark.parametrize("head", HEADS.values(), ids=HEADS.keys())
def test_a_head_that_never_ends(connect: Callable[..., socket.socket], head: bytes) -> None:
    slow = [connect(head) for _ in range(20)]
    assert answered(connect)
    assert [rest_of(connection) for connection in slow] == [b""] * 20
    assert answered(connect)


def test_the_next_head_on_a_connection_is_watched_too(
    connect: Callable[..., socket.socket],
) -> None:
    connection = connect(HEAD % len(BODY) + BODY)
    assert answer_to(connection)[0] == 200
    connection.sendall(b"POST /v1/mod")
    assert rest_of(connection) == b""


def test_an_answer_that_nobody_reads(connect: Callable[..., socket.socket]) -> None:
    large = json.dumps({"signature_name": "raw", "instances": ["a" * (8 << 20)]}).encode()
    silent = connect(HEAD % len(large) + large, receive_buffer=4096)
    assert answered(connect)
    # The server gives up: what it had not sent by then never comes.
    while answered(connect) and not reset(silent):
        pass


def reset(connection: socket.socket) -> bool:
    """Whether the other end is gone, without reading what it sent."""
    poll = select.poll()
    poll.register(connection, select.POLLHUP | select.POLLERR | select.POLLRDHUP)
    return bool(poll.poll(100))


def test_a_refused_body_that_goes_on_for_ever(connect: Callable[..., socket.socket]) -> None:
    endless = connect(HEAD % (1 << 40))
    assert answer_to(endless)[0] == 413
    with pytest.raises((ConnectionResetError, BrokenPipeError)):
        while True:
            endless.sendall(b" " * 65536)
    assert answered(connect)


DROPPED = {
    "in the head": b"POST /v1/models/tiny:pre",
    "in the body": HEAD % 1000 + BODY,
    "before the answer": HEAD % len(BODY) + BODY,
}


@pytest.mark.parametrize("data", DROPPED.values(), ids=DROPPED.keys())
def test_a_connection_dropped_half_way(connect: Callable[..., socket.socket], data: bytes) -> None:
    for _ in range(20):
        connect(data).close()
    assert answered(connect)


NO_HTTP = {
    "gRPC's preface": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    "noise": bytes(range(256)) * 4,
    "a head of a megabyte": b"GET /v1/models/tiny HTTP/1.1\r\n" + b"X: y\r\n" * (1 << 18),
    "two lengths": b"POST /v1/models/tiny:predict HTTP/1.1\r\nHost: x\r\n"
    b"Content-Length: 1\r\nContent-Length: 2\r\n\r\n",
}


@pytest.mark.parametrize("data", NO_HTTP.values(), ids=NO_HTTP.keys())
def test_what_is_no_http(connect: Callable[..., socket.socket], data: bytes) -> None:
    try:
        said = rest_of(connect(data))
    except (ConnectionResetError, BrokenPipeError):
        said = b""
    assert not said or (said.startswith(b"HTTP/1.1 ") and said.endswith(b"}"))
    assert b"HTTP/1.1 200" not in said
    assert answered(connect)
