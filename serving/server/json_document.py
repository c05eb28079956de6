"""A request's body as a JSON object, and values shown in messages about it.

Source of the rules and of the kinds of message: tensorflow_serving/util/json_tensor.cc. As there,
NaN, Infinity and -Infinity are read as numbers; unlike there, a body must be UTF-8.
"""

import base64
import binascii
import contextlib
import json
import math
import re
from collections.abc import Iterator, Mapping
from typing import Any

from serving.errors import ServingError, invalid

_SHOWN_CHARACTERS = 200
_SPACE = re.compile(r"\s+")


def parse(body: bytes) -> dict[str, Any]:
    """The request's JSON object.

    Raises:
        ServingError: INVALID_ARGUMENT for anything but an object in JSON.
    """
    if not body:
        raise _wrong("The document is empty")
    try:
        document = json.loads(body.decode("utf-8-sig"), parse_float=_float)
        if b"\\ud" in body.lower():
            _refuse_lone_surrogates(document)
    except RecursionError:
        raise _wrong("nested too deeply") from None
    except ValueError as error:
        raise _wrong(str(error)) from None
    if not isinstance(document, dict):
        raise invalid(f"JSON Value: {shown(document)} Is not object")
    return document


def signature_name(document: Mapping[str, Any]) -> str:
    """The request's `signature_name`, empty if it has none."""
    name = document.get("signature_name", "")
    if not isinstance(name, str):
        raise invalid(
            f"JSON Value: {shown(document)} not formatted correctly. "
            "'signature_name' key must be a string value."
        )
    return name


def is_base64(value: Any) -> bool:
    """Whether a value is `{"b64": "…"}` and nothing else."""
    return isinstance(value, dict) and list(value) == ["b64"] and isinstance(value["b64"], str)


def base64_bytes(value: Mapping[str, Any]) -> bytes:
    """The bytes of `{"b64": "…"}`; padding may be missing, white space is skipped.

    Raises:
        ServingError: INVALID_ARGUMENT for another object, or for what is not base64.
    """
    if not is_base64(value):
        raise invalid(f"JSON Value: {shown(value)} not formatted correctly for base64 data")
    text = _SPACE.sub("", value["b64"])
    if "=" not in text:
        text += "=" * (-len(text) % 4)
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise invalid("Unable to base64 decode") from None


@contextlib.contextmanager
def bounded_nesting() -> Iterator[None]:
    """Turns running out of stack, while walking a document, into INVALID_ARGUMENT."""
    try:
        yield
    except RecursionError:
        raise _wrong("nested too deeply") from None


def shown(value: Any) -> str:
    """A JSON value for an error message, cut where it gets long."""
    try:
        text = json.dumps(value, default=str)
    except RecursionError:
        return "(nested too deeply to show)"
    return text if len(text) <= _SHOWN_CHARACTERS else text[:_SHOWN_CHARACTERS] + "…"


def json_type(value: Any) -> str:
    """A value's type by the name that TF Serving's messages give it."""
    if value is None or isinstance(value, bool):
        return {None: "Null", True: "True", False: "False"}[value]
    names: dict[type, str] = {str: "String", list: "Array", dict: "Object"}
    return names.get(type(value), "Number")


def _float(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError("Number too big to be stored in double.")
    return number


def _refuse_lone_surrogates(document: Any) -> None:
    try:
        json.dumps(document, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError:
        raise ValueError("The surrogate pair in string is invalid.") from None


def _wrong(what: str) -> ServingError:
    return invalid(f"JSON Parse error: {what}")
