"""Where requests are counted: around every gRPC method and around the REST application."""

import time
from collections.abc import Callable
from typing import Any

import grpc
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serving.errors import Code, ServingError
from serving.server import rest_paths
from serving.server.metrics import Metrics

_METHODS = ("Predict", "Classify", "Regress", "MultiInference")
_CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class ObservedGrpc(grpc.ServerInterceptor):
    """Counts calls of PredictionService that name a model of the server."""

    def __init__(self, metrics: Metrics, known: Callable[[str], bool]) -> None:
        self._metrics, self._known = metrics, known

    def intercept_service(self, continuation: Callable, details: Any) -> Any:
        """Wraps the handler of a method that is counted."""
        handler = continuation(details)
        api = details.method.rpartition("/")[2]
        if handler is None or api not in _METHODS:
            return handler

        def observed(request: Any, context: Any) -> Any:
            started, status = time.perf_counter(), "UNKNOWN"
            try:
                response = handler.unary_unary(request, context)
                status = "OK"
                return response
            except BaseException:
                code = context.code()
                status = code.name if code else status
                raise
            finally:
                name = _model_of(request)
                if self._known(name):
                    spent = (time.perf_counter() - started) * 1e6
                    self._metrics.observe(name, api, "GRPC", status, spent)

        return grpc.unary_unary_rpc_method_handler(
            observed, handler.request_deserializer, handler.response_serializer
        )


def _model_of(request: Any) -> str:
    if hasattr(request, "tasks"):
        return request.tasks[0].model_spec.name if request.tasks else ""
    return request.model_spec.name


class ObservedRest:
    """Counts POSTs to a model of the server; an ASGI application around another.

    HTTP has fewer statuses than there are codes: INVALID_ARGUMENT stands for all that become 400.
    """

    def __init__(self, app: ASGIApp, metrics: Metrics, known: Callable[[str], bool]) -> None:
        self._app, self._metrics, self._known = app, metrics, known

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes the request on and counts its answer."""
        call = _call(scope)
        if call is None or not self._known(call.spec.name):
            await self._app(scope, receive, send)
            return
        started, statuses = time.perf_counter(), list[int]()

        async def noting(message: Message) -> None:
            if message["type"] == "http.response.start":
                statuses.append(message["status"])
            await send(message)

        await self._app(scope, receive, noting)
        status = _NAMES.get(statuses[0] if statuses else 499, "INTERNAL")
        spent = (time.perf_counter() - started) * 1e6
        self._metrics.observe(call.spec.name, call.name, "REST", status, spent)


def _call(scope: Scope) -> rest_paths.Call | None:
    if scope["type"] != "http" or scope["method"] != "POST":
        return None
    try:
        return rest_paths.parse("POST", scope.get("raw_path", b"").decode("latin-1"))
    except ServingError:
        return None


_NAMES = {
    200: "OK",
    400: Code.INVALID_ARGUMENT.name,
    404: Code.NOT_FOUND.name,
    413: Code.INVALID_ARGUMENT.name,
    429: Code.RESOURCE_EXHAUSTED.name,
    499: Code.CANCELLED.name,
    501: Code.UNIMPLEMENTED.name,
    503: Code.UNAVAILABLE.name,
    504: Code.DEADLINE_EXCEEDED.name,
}


def page(metrics: Metrics) -> Callable[[Request], Any]:
    """The endpoint that Prometheus scrapes."""

    async def endpoint(request: Request) -> Response:
        return PlainTextResponse(metrics.text(), headers={"content-type": _CONTENT_TYPE})

    return endpoint
