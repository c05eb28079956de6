"""Which call a REST path asks for, on which model.

The patterns are those of tensorflow_serving/model_servers/http_rest_api_util.cc: any case in the
path, but methods and `metadata` in lower case only; a query is part of the path, and so refused.
"""

import re
from typing import NamedTuple
from urllib.parse import unquote

from tensorflow_serving.apis import model_pb2

from serving.errors import Code, ServingError, invalid

_WHICH = r"(?:/versions/(?P<version>[0-9]+)|/labels/(?P<label>[^/:]+))?"
_POST = re.compile(
    rf"/v1/models/(?P<name>[^/:]+){_WHICH}:(?P<call>classify|regress|predict)", re.IGNORECASE
)
_GET = re.compile(
    rf"/v1/models(?:/(?P<name>[^/:]+))?{_WHICH}(?:/(?P<call>metadata))?", re.IGNORECASE
)
_PATTERNS = {"GET": _GET, "POST": _POST}
_CALLS = ("classify", "regress", "predict", "metadata")
_METHODS = ("GET", "POST", "HEAD", "PUT", "DELETE", "OPTIONS", "PATCH")


class Call(NamedTuple):
    """`name` is one of classify, regress, predict, metadata, status."""

    name: str
    spec: model_pb2.ModelSpec


def parse(method: str, path: str) -> Call:
    """What an HTTP method and a path (with its query, still percent-encoded) ask for.

    parse("POST", "/v1/models/reviews/versions/3:predict")   # Call("predict", spec of version 3)

    Raises:
        ServingError: INVALID_ARGUMENT for a path that the API does not have, NOT_FOUND outside of
            it, UNIMPLEMENTED for a method that is none of HTTP's usual ones.
    """
    malformed = f"Malformed request: {method} {path}"
    if method not in _METHODS:
        raise ServingError(Code.UNIMPLEMENTED, malformed)
    if not path.lower().startswith("/v1/"):
        raise ServingError(Code.NOT_FOUND, malformed)
    pattern = _PATTERNS.get(method)
    match = pattern.fullmatch(path) if pattern else None
    if match is None:
        raise invalid(malformed)
    spec = _spec(match)
    call = match["call"] if match["call"] in _CALLS else "status"
    if method == "POST" and call == "status":
        raise invalid(malformed)
    if not spec.name:
        raise invalid("Missing model name in request.")
    return Call(call, spec)


def _spec(match: re.Match) -> model_pb2.ModelSpec:
    spec = model_pb2.ModelSpec(name=_decoded(match["name"] or ""))
    if match["version"]:
        spec.version.value = _number(match["version"])
    if match["label"]:
        spec.version_label = _decoded(match["label"])
    return spec


def _number(digits: str) -> int:
    significant = digits.lstrip("0") or "0"
    if len(significant) > 19 or int(significant) >= 1 << 63:
        raise invalid(f"Failed to convert version: {digits} to numeric.")
    return int(significant)


def _decoded(part: str) -> str:
    return unquote(part, errors="replace")
