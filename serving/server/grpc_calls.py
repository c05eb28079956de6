"""What all gRPC calls share: errors as the call's status, and the request's model spec."""

import contextlib
import logging
from collections.abc import Iterator
from typing import Any

import grpc
from tensorflow_serving.apis import model_pb2

from serving.calls import NAMES_KEY
from serving.errors import Code, ServingError, invalid
from serving.server.models import Models

_log = logging.getLogger(__name__)

_MESSAGE_LIMIT = 1024
_CODES = {code.value[0]: code for code in grpc.StatusCode}


@contextlib.contextmanager
def status(context: grpc.ServicerContext, models: Models) -> Iterator[None]:
    """Turns errors into the status of the call; `abort` raises and so ends the call.

    A call whose deadline passed while it waited for a thread is refused before any work is done.
    """
    try:
        if not context.is_active() or context.time_remaining() == 0:
            raise ServingError(Code.DEADLINE_EXCEEDED, "the deadline passed before the call began")
        yield
    except ServingError as error:
        if error.code is Code.NOT_FOUND:
            names = tuple((NAMES_KEY, name) for name in models.names if _is_metadata(name))
            context.set_trailing_metadata(names)
        context.abort(_CODES[int(error.code)], _shortened(error.message))
    except Exception as error:
        _log.exception("a call failed")
        context.abort(grpc.StatusCode.INTERNAL, _shortened(f"{type(error).__name__}: {error}"))


def _is_metadata(value: str) -> bool:
    return value.isascii() and value.isprintable()


def _shortened(message: str) -> str:
    """As tensorflow_serving/model_servers/grpc_status_util.cc: headers must stay small."""
    if len(message) <= _MESSAGE_LIMIT:
        return message
    return message[:_MESSAGE_LIMIT] + "...TRUNCATED"


def spec_of(request: Any) -> model_pb2.ModelSpec:
    """The request's model spec.

    Raises:
        ServingError: INVALID_ARGUMENT if it has none.
    """
    if not request.HasField("model_spec"):
        raise invalid("Missing ModelSpec")
    return request.model_spec
