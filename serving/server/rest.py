"""REST v1 as TF Serving has it: predict, classify, regress, model status, metadata."""

import asyncio
import logging
from collections.abc import Sequence

import anyio
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import BaseRoute
from starlette.types import Receive, Scope, Send

from serving.errors import Code, ServingError
from serving.server import answers, rest_body, rest_calls, rest_paths
from serving.server.models import Models
from serving.server.rest_body import BodyLimits, BodyRefused

_log = logging.getLogger(__name__)

# Requests that wait for a thread, bodies in hand; more are refused.
MAX_WAITING = 1024

# tensorflow_serving/model_servers/http_server.cc
_HTTP = {
    Code.CANCELLED: 499,
    Code.INVALID_ARGUMENT: 400,
    Code.DEADLINE_EXCEEDED: 504,
    Code.NOT_FOUND: 404,
    Code.ALREADY_EXISTS: 409,
    Code.PERMISSION_DENIED: 403,
    Code.RESOURCE_EXHAUSTED: 429,
    Code.FAILED_PRECONDITION: 400,
    Code.ABORTED: 409,
    Code.OUT_OF_RANGE: 400,
    Code.UNIMPLEMENTED: 501,
    Code.UNAVAILABLE: 503,
    Code.UNAUTHENTICATED: 401,
}


def application(
    models: Models,
    threads: int,
    *,
    allow_origins: Sequence[str] = (),
    routes: Sequence[BaseRoute] = (),
    limits: BodyLimits | None = None,
    max_waiting: int = MAX_WAITING,
    timeout_seconds: float = 30.0,
) -> Starlette:
    """The ASGI application.

    Args:
        models: what it serves.
        threads: requests run at once; more wait.
        allow_origins: web pages of these origins may call it (CORS); `["*"]` is any page.
        routes: other routes, looked at before those of the API.
        limits: of the request's body.
        max_waiting: requests that may wait for a thread; others are answered 503.
        timeout_seconds: from the body's arrival to the answer; what takes longer is answered 504.
    """
    app = Starlette(routes=routes, middleware=_middleware(allow_origins))
    # A route "/{path}" would not match every path: not one with a newline, say.
    app.router.default = _Api(models, threads, limits or BodyLimits(), max_waiting, timeout_seconds)
    return app


def _middleware(allow_origins: Sequence[str]) -> list[Middleware]:
    if not allow_origins:
        return []
    # The methods and headers of http_rest_api_util.cc.
    cors = Middleware(
        CORSMiddleware,
        allow_origins=list(allow_origins),
        allow_methods=["POST", "GET"],
        allow_headers=["Content-Type"],
    )
    return [cors]


class _Api:
    """An ASGI application of its own, because a Starlette function would refuse odd methods."""

    def __init__(
        self,
        models: Models,
        threads: int,
        limits: BodyLimits,
        max_waiting: int,
        timeout_seconds: float,
    ) -> None:
        self._models, self._threads = models, threads
        self._limits, self._max_waiting = limits, max_waiting
        self._timeout_seconds = timeout_seconds
        self._running: set[asyncio.Future[Response]] = set()
        self._limiter: anyio.CapacityLimiter | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        response = await self._respond(request)
        if response.status_code in (400, 404, 413, 501):
            await rest_body.discard(request)
        await response(scope, receive, send)

    async def _respond(self, request: Request) -> Response:
        try:
            call = rest_paths.parse(request.method, _target(request))
            body = await rest_body.read(request, self._limits)
            return await self._in_thread(call, body, request)
        except ServingError as error:
            return _error(_HTTP.get(error.code, 500), error.message)
        except BodyRefused as error:
            return _error(error.status, error.message)
        except ClientDisconnect:
            return _error(499, "the client has gone")
        except Exception as error:
            _log.exception("a request failed")
            return _error(500, f"{type(error).__name__}: {error}")

    async def _in_thread(self, call: rest_paths.Call, body: bytes, request: Request) -> Response:
        if self._limiter is None:
            self._limiter = anyio.CapacityLimiter(self._threads)
        if self._limiter.statistics().tasks_waiting >= self._max_waiting:
            raise ServingError(Code.UNAVAILABLE, "too many requests wait for a thread")
        # The graph cannot be stopped half-way: the thread of a late call ends by itself, and keeps
        # its place among the threads until then.
        running = asyncio.ensure_future(
            anyio.to_thread.run_sync(self._answer, call, body, request, limiter=self._limiter)
        )
        self._running.add(running)
        running.add_done_callback(self._ended)
        done, _ = await asyncio.wait({running}, timeout=self._timeout_seconds)
        if not done:
            message = f"Timed out after {self._timeout_seconds:g} seconds"
            raise ServingError(Code.DEADLINE_EXCEEDED, message)
        return running.result()

    def _ended(self, running: asyncio.Future[Response]) -> None:
        self._running.discard(running)
        if not running.cancelled():
            running.exception()  # asyncio complains of errors that nobody looked at

    def _answer(self, call: rest_paths.Call, body: bytes, request: Request) -> Response:
        encoding = request.headers.get("content-encoding", "")
        answer = rest_calls.answer(
            self._models, call, rest_body.unpacked(body, encoding, self._limits)
        )
        packed, headers = rest_body.packed(answer, request.headers.get("accept-encoding", ""))
        return Response(packed, headers=headers, media_type="application/json")


def _target(request: Request) -> str:
    path = request.scope.get("raw_path", b"").decode("latin-1")
    query = request.scope.get("query_string", b"").decode("latin-1")
    return f"{path}?{query}" if query else path


def _error(status: int, message: str) -> Response:
    return Response(answers.encode({"error": message}), status, media_type="application/json")
