"""A text with its entities marked in it, for a terminal or a pipe."""

import unicodedata
from collections.abc import Mapping
from typing import Any

import click

from pipeline import spans

_COLOURS = ("green", "cyan", "magenta", "yellow", "blue", "red")


def is_tagged(row: Mapping[str, Any]) -> bool:
    """Whether a row is a tagger's answer."""
    return "entities" in row and "entity_types" in row


def marked(text: str | bytes, row: Mapping[str, Any], colour: bool = False) -> str:
    """The text on one line, each entity in brackets with its type, or in the type's colour.

    >>> marked("Ada saw Paris.", row)
    '[Ada PER] saw [Paris LOC].'

    Args:
        text: as it was sent.
        row: its answer, cut by `n_entities`.
        colour: ANSI colours in place of brackets.
    """
    data = text if isinstance(text, bytes) else text.encode("utf-8", "surrogateescape")
    mark = _coloured if colour else _bracketed
    found = zip(row["entity_starts"], row["entity_ends"], row["entity_types"], strict=True)
    return "".join(
        mark(_on_one_line(part), kind) if kind else _on_one_line(part)
        for part, kind in spans.parts(data, found)
    )


def _bracketed(entity: str, kind: str) -> str:
    return f"[{entity} {kind}]"


def _coloured(entity: str, kind: str) -> str:
    colour = _COLOURS[sum(kind.encode()) % len(_COLOURS)]
    return click.style(entity, fg=colour, bold=True) + click.style(f" {kind}", fg=colour, dim=True)


def _on_one_line(data: bytes) -> str:
    """Control characters and line ends as spaces: a text must not steer the terminal."""
    text = data.decode("utf-8", "replace")
    return "".join(" " if unicodedata.category(c) in ("Cc", "Zl", "Zp") else c for c in text)
