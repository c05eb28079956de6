"""The recipe: one typed file that says everything about a run.

The classes are the recipe's schema and hold every default; `load` turns a file into them and
every mistake into a `BadInput` with file, line, key, what was found and what would do.
"""

from pathlib import Path
from typing import Annotated, Any, Literal

import pydantic
from pydantic import ConfigDict, Discriminator, Field, Tag

from pipeline import recipe_mistakes, recipe_task, recipe_yaml
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


class Columns(_Section):
    """Which columns of a conll file are what: from 0, negative ones from the end."""

    word: int = 0
    tag: int = -1


class Data(_Section):
    """Where the text is and what its columns mean."""

    path: Annotated[Annotated[str, Tag("<text>")] | Annotated[Splits, Tag("<mapping>")], _BY_KIND]
    # None: by the file's ending
    format: Literal["csv", "tsv", "jsonl", "txt", "conll"] | None = None
    text: str = "text"
    label: str = "category"  # tag: jsonl's key of the spans, tsv's column of tags
    rename: dict[str, str] = {}  # column in the file ▶ name in the pipeline
    keep: dict[str, list[str]] = {}
    bad_rows: float = Field(0.01, ge=0, le=1)  # tolerated share of rows that cannot be read
    schema_: str | None = Field(None, alias="schema")  # a curated schema.pbtxt instead of inference
    columns: Columns = Columns()  # of conll files
    scheme: Literal["iob2", "iob1", "bioes", "bmeos"] | None = None  # None: what the tags look like
    repair: bool = False  # whether illegal sequences of tags are made legal or are bad rows


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
    head_rate: float = Field(1.0, gt=0)  # the head learns so many times as fast as the encoder
    seed: int = Field(1, ge=0)
    accumulate: int = Field(1, ge=1)  # parts a batch is computed in: less memory, the same steps


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
    entity_f1: SliceBound | None = None


class Gate(_Section):
    """What a model must reach on the test split to be pushed: the task's own metric."""

    accuracy: Bound | None = None  # classify
    entity_f1: Bound | None = None  # tag
    # A list reports; a mapping may bind: {category: {accuracy: {at_least: 0.5}}}.
    slices: Annotated[
        Annotated[list[str], Tag("<list>")] | Annotated[dict[str, SliceGate], Tag("<mapping>")],
        _BY_KIND,
    ] = []

    @property
    def metric(self) -> str:
        """The metric that binds."""
        return "accuracy" if self.accuracy else "entity_f1"

    @property
    def bound(self) -> Bound:
        """Its bounds on the whole split."""
        return getattr(self, self.metric)

    def slice_bounds(self) -> dict[str, float | None]:
        """The column of every slice, with the bound of the metric there or None."""
        if isinstance(self.slices, list):
            return dict.fromkeys(self.slices)
        found = {column: getattr(gate, self.metric) for column, gate in self.slices.items()}
        return {column: bound.at_least if bound else None for column, bound in found.items()}


class Serve(_Section):
    """Where the model will be served."""

    name: str | None = Field(None, pattern=r"^[A-Za-z0-9_-]+$")  # None: the recipe's name
    tf_serving: str = "2.12"
    latency_ms: float | None = Field(None, gt=0)  # p50 of one text; None: measured, not judged
    # Short texts faster, for much more memory: see trainer.model.dense.
    constant_weights: bool = False
    # "fastest": what a trial on the machine that trains says. See trainer.precision.
    precision: Literal["float32", "bfloat16", "float16", "fastest"] = "float32"


class Card(_Section):
    """What the model card says that no file tells."""

    intended_use: str | None = None
    limits: str | None = None
    data_licence: str | None = None  # None: what the source itself tells
    encoder_licence: str | None = None


class Recipe(_Section):
    """One run of the pipeline."""

    name: str = Field(pattern=r"^[A-Za-z0-9_-]+$")
    task: Literal["classify", "tag"] = "classify"
    head: Literal["softmax", "crf", "bilstm-crf"] | None = None  # tag: crf if nothing is said
    rest_of_word: Literal["ignore", "x"] | None = None  # tag: what pieces after the first learn
    data: Data
    encoder: Annotated[
        Annotated[str, Tag("<text>")] | Annotated[FromScratch, Tag("<mapping>")], _BY_KIND
    ]
    max_tokens: int = Field(128, ge=3)
    train: Train = Train()
    gate: Gate
    serve: Serve = Serve()
    card: Card = Card()

    @property
    def model_name(self) -> str:
        """The name under which the model is served."""
        return self.serve.name or self.name

    @property
    def tagger(self) -> dict[str, str]:
        """What a tagger is made of; empty for other tasks."""
        if self.task != "tag":
            return {}
        return {"head": str(self.head), "rest_of_word": str(self.rest_of_word)}

    @pydantic.model_validator(mode="before")
    @classmethod
    def _defaults_of_the_task(cls, given: Any) -> Any:
        if not isinstance(given, dict) or given.get("task") != "tag":
            return given
        told = {"head": "crf", "rest_of_word": "ignore", **given}
        if isinstance(told.get("data"), dict):
            told["data"] = {"label": "entities", **told["data"]}
        return told

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
        recipe = Recipe.model_validate(document.data)
    except pydantic.ValidationError as error:
        found: dict[str, None] = {}
        for item in error.errors():
            found[str(recipe_mistakes.explain(item, document, Recipe))] = None
        raise BadInput("\n".join(found)) from error
    recipe_task.check(recipe, document)
    return recipe, document


def show(recipe: Recipe) -> str:
    """The recipe as YAML with every default written out."""
    import yaml

    data = recipe.model_dump(mode="json", by_alias=True)
    return yaml.safe_dump(data, sort_keys=False, allow_unicode=True)
