"""A text with its answer on a line: for people, or as JSON."""

import json
from collections.abc import Mapping
from typing import Any

from pipeline.cli.entity_text import is_tagged, marked
from pipeline.shortened import shortened

_SHOWN = 100
_FIRST = ("label", "score")


def as_line_of_json(text: str | bytes, row: Mapping[str, Any]) -> str:
    """The text and its row; scores of classes go by label."""
    answer = {"text": _readable(text), **{key: row[key] for key in _FIRST if key in row}, **row}
    labels = answer.get("labels")
    if isinstance(labels, list) and len(labels) == len(answer.get("scores", ())):
        answer["scores"] = dict(zip(answer.pop("labels"), answer["scores"], strict=True))
    return json.dumps(answer, ensure_ascii=False, default=_bytes)


def for_people(text: str | bytes, row: Mapping[str, Any], colour: bool = False) -> str:
    """Label, score and text, or the text with its entities; other outputs are listed by name."""
    cut = shortened(" ".join(_readable(text).split()), _SHOWN)
    if is_tagged(row):
        line = marked(text, row, colour)
    elif "label" in row and "score" in row:
        line = f"{row['label']}\t{row['score']:.4f}\t{cut}"
    else:
        rest = {key: value for key, value in row.items() if key != "dropped_tokens"}
        line = "\n".join([cut, *(f"  {key}: {_shown(value)}" for key, value in rest.items())])
    dropped = row.get("dropped_tokens", 0)
    return line + (f"\t(truncated: the model did not see {dropped} tokens)" if dropped else "")


def _readable(text: str | bytes) -> str:
    return text if isinstance(text, str) else text.decode("utf-8", "replace")


def _shown(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=_bytes)


def _bytes(value: bytes) -> str:
    return value.decode("utf-8", "backslashreplace")
