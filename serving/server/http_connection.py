"""An HTTP connection that does not wait for ever: for a request's head, or for the answer's reader.

uvicorn has a timeout for idle connections only. Bodies have theirs in rest_body.py.
"""

import asyncio
import json
import socket
import struct
from collections.abc import Callable
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

HEAD_SECONDS = 20.0
READER_SECONDS = 20.0
REST_OF_BODY_SECONDS = 20.0


class Connection(H11Protocol):
    """Closed when the client is too slow:

    - the head of a request takes longer than `head_seconds` from its first byte (for the first
      request, from the connection);
    - the client takes nothing of an answer for `reader_seconds`;
    - a body that was refused goes on for longer than `rest_of_body_seconds`.
    """

    head_seconds = HEAD_SECONDS
    reader_seconds = READER_SECONDS
    rest_of_body_seconds = REST_OF_BODY_SECONDS

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._timers: dict[str, asyncio.TimerHandle] = {}

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Starts to wait for the first head."""
        super().connection_made(transport)
        self._start("head", self.head_seconds, transport.close)

    def data_received(self, data: bytes) -> None:
        """Waits for the rest of a head that is not whole."""
        super().data_received(data)
        if self.conn.their_state is not h11.IDLE:
            self._stop("head")
        else:
            self._start("head", self.head_seconds, self.transport.close)
        if self.conn.their_state is not h11.SEND_BODY:
            self._stop("rest of body")

    def pause_writing(self) -> None:
        """The client reads more slowly than the server answers."""
        super().pause_writing()
        self._watch_reader()

    def on_response_complete(self) -> None:
        """The answer is on its way; perhaps the client does not take it, or still sends."""
        super().on_response_complete()
        self._watch_reader()
        if self.conn.their_state is h11.SEND_BODY:
            self._start("rest of body", self.rest_of_body_seconds, self._reset)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forgets all timers."""
        for name in list(self._timers):
            self._stop(name)
        super().connection_lost(exc)

    def send_400_response(self, msg: str) -> None:
        """What is not HTTP is answered in JSON, too."""
        body = json.dumps({"error": msg}).encode()
        head = [(b"content-type", b"application/json"), (b"connection", b"close")]
        head.append((b"content-length", str(len(body)).encode()))
        try:
            for event in (
                h11.Response(status_code=400, headers=head, reason=b"Bad Request"),
                h11.Data(data=body),
                h11.EndOfMessage(),
            ):
                self.transport.write(self.conn.send(event) or b"")
        except h11.LocalProtocolError:
            pass  # an answer was under way already
        self.transport.close()

    def _watch_reader(self) -> None:
        left = self.transport.get_write_buffer_size()
        if left:
            self._start("reader", self.reader_seconds, self._check_reader, left)

    def _check_reader(self, before: int) -> None:
        self._stop("reader")
        if self.transport.get_write_buffer_size() >= before:
            self._reset()
        else:
            self._watch_reader()

    def _reset(self) -> None:
        # Without it the kernel would go on offering what is in its own buffer for minutes.
        at_once = struct.pack("ii", 1, 0)
        socket_ = self.transport.get_extra_info("socket")
        socket_.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, at_once)
        self.transport.abort()

    def _start(self, name: str, seconds: float, late: Callable[..., None], *given: Any) -> None:
        if name not in self._timers:
            self._timers[name] = self.loop.call_later(seconds, late, *given)

    def _stop(self, name: str) -> None:
        timer = self._timers.pop(name, None)
        if timer:
            timer.cancel()
