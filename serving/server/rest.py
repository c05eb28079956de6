"""REST v1 as TF Serving has it: predict, model status, metadata."""

import functools
import logging
import re
from typing import Any
from urllib.parse import unquote

import anyio
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route
from tensorflow_serving.apis import model_pb2

from serving.errors import Code, ServingError, invalid
from serving.server import answers, inference, metadata, values
from serving.server.models import Models

_log = logging.getLogger(__name__)

MAX_BODY_BYTES = 64 << 20

# The patterns of tensorflow_serving/model_servers/http_rest_api_util.cc.
_WHICH = r"(?:/versions/(?P<version>\d+)|/labels/(?P<label>[^/:]+))?"
_POST = re.compile(
    rf"/v1/models/(?P<name>[^/:]+){_WHICH}:(?P<method>classify|regress|predict)", re.IGNORECASE
)
_GET = re.compile(
    rf"/v1/models(?:/(?P<name>[^/:]+))?{_WHICH}(?P<metadata>/metadata)?", re.IGNORECASE
)

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


def application(models: Models, threads: int) -> Starlette:
    """The ASGI application; requests run on at most `threads` threads."""
    endpoint = functools.partial(_endpoint, models, anyio.CapacityLimiter(threads))
    methods = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"]
    return Starlette(routes=[Route("/{path:path}", endpoint, methods=methods)])


async def _endpoint(models: Models, limiter: anyio.CapacityLimiter, request: Request) -> Response:
    path = request.scope.get("raw_path", b"").decode("latin-1")
    try:
        body = await _body(request)
        answer = await anyio.to_thread.run_sync(
            _answer, models, request.method, path, body, limiter=limiter
        )
    except ServingError as error:
        return _error(_HTTP.get(error.code, 500), error.message)
    except ClientDisconnect:
        return _error(499, "the client has gone")
    except Exception as error:
        _log.exception("a request failed")
        return _error(500, f"{type(error).__name__}: {error}")
    return Response(answer, media_type="application/json")


def _error(status: int, message: str) -> Response:
    return Response(answers.encode({"error": message}), status, media_type="application/json")


async def _body(request: Request) -> bytes:
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > MAX_BODY_BYTES:
            raise ServingError(
                Code.RESOURCE_EXHAUSTED, f"the body is larger than {MAX_BODY_BYTES} bytes"
            )
        parts.append(part)
    return b"".join(parts)


def _answer(models: Models, method: str, path: str, body: bytes) -> bytes:
    if not path.lower().startswith("/v1/"):
        raise ServingError(Code.NOT_FOUND, f"Malformed request: {method} {path}")
    pattern = {"GET": _GET, "POST": _POST}.get(method)
    match = pattern.fullmatch(path) if pattern else None
    if match is None:
        raise invalid(f"Malformed request: {method} {path}")
    spec = _spec(match)
    if method == "POST":
        return answers.encode(_call(models, match["method"].lower(), spec, body))
    if not spec.name:
        raise invalid("Missing model name in request.")
    if match["metadata"]:
        with models.servable(spec) as servable:
            return answers.encode(metadata.signatures(spec.name, servable))
    return answers.encode(metadata.status(models.states(spec)))


def _spec(match: re.Match) -> model_pb2.ModelSpec:
    spec = model_pb2.ModelSpec(name=_decoded(match["name"] or ""))
    if match["version"]:
        number = int(match["version"])
        if number >= 1 << 63:
            raise invalid(f"Failed to convert version: {number} to numeric.")
        spec.version.value = number
    if match["label"]:
        spec.version_label = _decoded(match["label"])
    return spec


def _decoded(part: str) -> str:
    return unquote(part, errors="replace")


def _call(models: Models, method: str, spec: model_pb2.ModelSpec, body: bytes) -> Any:
    if method != "predict":
        message = f"{method} over REST is not supported yet; gRPC has it"
        raise ServingError(Code.UNIMPLEMENTED, message)
    document = values.parse(body)
    name = values.signature_name(document) or inference.DEFAULT_SIGNATURE
    with models.servable(spec) as servable:
        if name not in servable.signatures:
            raise invalid(f'Serving signature name: "{name}" not found in signature def')
        inputs = values.inputs_of(document, servable.signatures[name])
        outputs = inference.predict(servable, name, inputs)
    return answers.rows(outputs) if "instances" in document else answers.columns(outputs)
