"""jsonl with entities: spans of characters beside the text.

    {"text": "Ann left Köln.", "entities": [{"start": 0, "end": 3, "type": "PER"}, [9, 13, "LOC"]]}

Offsets count Unicode code points from 0, ends are exclusive. The type may be called ``label``.
"""

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

from components.readers.jsonlines import json_object, values_of
from components.readers.opening import numbered_lines
from components.readers.rows import BadRow, Row, Spans, decode, fault
from components.readers.tagged import Tagged
from trainer.errors import BadInput

_WHOLE = re.compile(r"-?[0-9]{1,18}")


class _Span(NamedTuple):
    start: int
    end: int
    type: str


class _Unfit(ValueError):
    """A span that cannot be used, and why."""


def read_character_spans(
    path: Path, columns: Sequence[str] | None, tagged: Tagged
) -> Iterator[Row | BadRow]:
    """Rows with spans and the values of ``columns`` (default: all keys but the spans').

    Raises:
        BadInput: a file without a line.
    """
    file, number = str(path), 0
    for number, raw in numbered_lines(path):
        if not raw.isspace():
            found = json_object(decode(raw).rstrip("\r\n"))
            if isinstance(found, str):
                yield BadRow(file, number, found)
            else:
                yield _row(found, file, number, columns, tagged)
    if not number:
        raise BadInput("the file is empty", where=file)


def _row(
    found: dict[str, Any], file: str, line: int, columns: Sequence[str] | None, tagged: Tagged
) -> Row | BadRow:
    asked = [name for name in (found if columns is None else columns) if name != tagged.label]
    values = values_of(found, asked)
    if isinstance(values, str):
        return BadRow(file, line, values)
    if tagged.text not in values:
        return BadRow(file, line, f"no `{tagged.text}`")
    try:
        spans = _byte_spans(found.get(tagged.label), values[tagged.text], tagged.label)
    except _Unfit as unfit:
        return BadRow(file, line, str(unfit))
    return Row(values, file, line, spans)


def _byte_spans(items: Any, text: str, key: str) -> Spans:
    if items is None:
        raise _Unfit(f"no `{key}`")
    if not isinstance(items, list):
        raise _Unfit(f"`{key}` is no list of spans")
    spans = sorted(_span(item, text) for item in items)
    for first, second in pairwise(spans):
        if second.start < first.end:
            raise _Unfit(f"the spans {_shown(first)} and {_shown(second)} overlap")
    at = _byte_offsets(text, [offset for span in spans for offset in span[:2]])
    return Spans([at[s.start] for s in spans], [at[s.end] for s in spans], [s.type for s in spans])


def _span(item: Any, text: str) -> _Span:
    if isinstance(item, dict):
        parts = [item.get("start"), item.get("end"), item.get("type", item.get("label"))]
    elif isinstance(item, list) and len(item) == 3:
        parts = item
    else:
        raise _Unfit(f"a span is {{start, end, type}} or [start, end, type], not {item!r:.80}")
    start, end, kind = _whole(parts[0]), _whole(parts[1]), parts[2]
    if not isinstance(kind, str) or not kind.strip():
        raise _Unfit(f"the span {start}–{end} has no type")
    if reason := fault(kind):
        raise _Unfit(f"the type of the span {start}–{end}: {reason}")
    span = _Span(start, end, kind)
    if start < 0 or end > len(text):
        raise _Unfit(f"the span {_shown(span)} leaves the text of {len(text)} characters")
    if start >= end:
        raise _Unfit(f"the span {_shown(span)} is empty")
    return span


def _whole(number: Any) -> int:
    """A whole number, which reading JSON has left as it is spelled."""
    if isinstance(number, str) and _WHOLE.fullmatch(number):
        return int(number)
    raise _Unfit(f"start and end of a span are whole numbers, not {number!r:.80}")


def _shown(span: _Span) -> str:
    return f"{span.start}–{span.end} {span.type}"


def _byte_offsets(text: str, offsets: list[int]) -> dict[int, int]:
    """Code points ▶ UTF-8 bytes, for offsets in ascending order."""
    if text.isascii():
        return dict(zip(offsets, offsets, strict=True))
    at, before, total = {}, 0, 0
    for offset in offsets:
        total += len(text[before:offset].encode())
        at[offset], before = total, offset
    return at
