"""jsonl: one JSON object a line, its values texts, numbers or true and false."""

import json
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, NoReturn

from components.readers.opening import numbered_lines
from components.readers.rows import BadRow, Row, decode, fault
from trainer.errors import BadInput

_LOOK_AT = 1000  # lines whose keys are the columns


def read_jsonlines(path: Path, columns: Sequence[str] | None) -> Iterator[Row | BadRow]:
    """Rows of a jsonl file, with the values of ``columns`` (default: all).

    Numbers keep their spelling in the file ("1.50"), null and an absent key leave no value,
    keys that are not asked for may hold anything.

    Raises:
        BadInput: a file without a line.
    """
    file, number = str(path), 0
    for number, raw in numbered_lines(path):
        if not raw.isspace():
            found = json_object(decode(raw).rstrip("\r\n"))
            values = found if isinstance(found, str) else values_of(found, columns)
            yield (
                Row(values, file, number)
                if isinstance(values, dict)
                else BadRow(file, number, values)
            )
    if not number:
        raise BadInput("the file is empty", where=file)


def jsonlines_columns(path: Path) -> list[str]:
    """Keys of the first 1,000 lines, in the order in which they appear."""
    rows = (json_object(decode(raw)) for _, raw in islice(numbered_lines(path), _LOOK_AT))
    keys = list(dict.fromkeys(key for row in rows if isinstance(row, dict) for key in row))
    if not keys:
        raise BadInput("no JSON object in it", where=str(path), fix='A line is like {"text": "…"}.')
    return keys


def values_of(found: dict[str, Any], columns: Sequence[str] | None) -> dict[str, str] | str:
    """The values of ``columns`` (default: all), or what is wrong with one."""
    values = {}
    for key in found if columns is None else columns:
        value = _spelled(found.get(key))
        if value is None:
            continue
        if not isinstance(value, str):
            return f"`{key}` is neither text nor number"
        if reason := fault(value):
            return f"`{key}`: {reason}"
        values[key] = value
    return values


def _spelled(value: Any) -> Any:
    return str(value).lower() if isinstance(value, bool) else value


def json_object(line: str) -> dict[str, Any] | str:
    """The object on a line, or what is wrong with it."""
    try:
        found = json.loads(line, parse_int=str, parse_float=str, parse_constant=_refuse)
    except json.JSONDecodeError as error:
        return fault(line) or f"no JSON: {error.msg} at column {error.colno}"
    except RecursionError:
        return "no JSON: nested too deep"
    except ValueError as error:
        return f"no JSON: {error}"
    return found if isinstance(found, dict) else "no JSON object"


def _refuse(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON value")
