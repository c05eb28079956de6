"""Which of a recipe's keys go together: what would have no effect is refused, not ignored."""

from typing import TYPE_CHECKING

from pipeline.recipe_yaml import Document
from trainer.errors import BadInput

if TYPE_CHECKING:
    from pipeline.recipe import Recipe

_METRIC = {"classify": "accuracy", "tag": "entity_f1"}
_FORMATS = {"classify": ("csv", "tsv", "jsonl", "txt"), "tag": ("conll", "jsonl", "tsv")}


def check(recipe: "Recipe", document: Document) -> None:
    """Checks a typed recipe.

    Raises:
        BadInput: keys of another task or without effect, or a gate without the task's metric.
    """
    metric = _METRIC[recipe.task]
    for other in set(_METRIC.values()) - {metric}:
        if getattr(recipe.gate, other) is not None:
            raise BadInput(
                f"`{other}` is no metric of task {recipe.task}.",
                where=document.where(("gate", other)),
                fix=f"Write `{metric}` in its place.",
            )
    if getattr(recipe.gate, metric) is None:
        raise BadInput(
            f"the key `{metric}` is missing.",
            where=document.where(("gate", metric)),
            fix=f"Add `{metric}: {{at_least: 0.8}}`.",
        )
    if recipe.data.format not in (None, *_FORMATS[recipe.task]):
        raise BadInput(
            f"the format {recipe.data.format} is none for task {recipe.task}.",
            where=document.where(("data", "format")),
            fix=f"Known: {', '.join(_FORMATS[recipe.task])}.",
        )
    if recipe.task != "tag":
        _refuse_keys_of_taggers(recipe, document)


def _refuse_keys_of_taggers(recipe: "Recipe", document: Document) -> None:
    data = recipe.data
    given = {
        ("head",): recipe.head,
        ("rest_of_word",): recipe.rest_of_word,
        ("data", "columns"): data.columns != type(data.columns)(),
        ("data", "scheme"): data.scheme,
        ("data", "repair"): data.repair,
    }
    for keys, value in given.items():
        if value:
            raise BadInput(
                f"`{keys[-1]}` is a tagger's.",
                where=document.where(keys),
                fix="Write `task: tag`, or leave the key out.",
            )
