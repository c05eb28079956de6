"""Where a step's container finds what lies on this machine; no path of this one is compiled in."""

import dataclasses
import json
import os
from collections.abc import Callable, Iterable

from components import sources
from pipeline.check import Inputs, as_source
from pipeline.recipe import Data, FromScratch, Recipe, Splits
from pipeline.recipe_yaml import Document
from trainer.errors import BadInput


class Places:
    """Folders of this machine and where they are in the containers.

    Args:
        pairs: ``HERE=THERE``: a local file or folder, and an absolute path in the image, of a
            volume, or ``gs://…``.

    Raises:
        BadInput: no pair, or THERE is relative.
    """

    def __init__(self, pairs: Iterable[str] = ()) -> None:
        self._there: dict[str, str] = {}
        for pair in pairs:
            here, equals, there = pair.partition("=")
            if not (here and equals and there.startswith(("/", "gs://"))):
                raise BadInput(
                    "no pair of a path here and an absolute path there",
                    where=f"--map {pair}",
                    fix="Write --map data=/data or --map data=gs://bucket/data.",
                )
            self._there[os.path.abspath(here)] = there.rstrip("/")

    def find(self, path: str) -> str | None:
        """The place of a local path or pattern; None where no pair holds it.

        >>> Places(["data=/in/image"]).find("data/reviews/*.csv")
        '/in/image/reviews/*.csv'
        """
        wanted = os.path.abspath(os.path.expanduser(path))
        holding = [here for here in self._there if _is_in(wanted, here)]
        if not holding:
            return None
        here = max(holding, key=len)
        return self._there[here] + wanted[len(here.rstrip("/")) :]


def moved(
    recipe: Recipe, inputs: Inputs, document: Document, places: Places
) -> tuple[Recipe, Inputs]:
    """A checked recipe and its inputs as the containers see them; sources stay what they are.

    Raises:
        BadInput: a path that only this machine has; with the recipe's line.
    """

    def place(path: str, *keys: str | int) -> str:
        found = path if sources.split(path)[0] else places.find(path)
        if found is None:
            raise _only_here(path, document.where(keys))
        return found

    data, encoder = _data(recipe.data, place), _encoder(recipe.encoder, place)
    said = data.path.model_dump(exclude_none=True) if isinstance(data.path, Splits) else data.path
    return (
        recipe.model_copy(update={"data": data, "encoder": encoder}),
        dataclasses.replace(
            inputs,
            data=json.dumps({**json.loads(inputs.data), "path": said}, sort_keys=True),
            encoder=encoder if isinstance(encoder, str) else as_source(encoder),
        ),
    )


def _data(data: Data, place: Callable[..., str]) -> Data:
    if isinstance(data.path, Splits):
        given = data.path.model_dump(exclude_none=True).items()
        path: str | Splits = Splits(**{key: place(one, "data", "path", key) for key, one in given})
    else:
        path = place(data.path, "data", "path")
    schema = place(data.schema_, "data", "schema") if data.schema_ else None
    return data.model_copy(update={"path": path, "schema_": schema})


def _encoder(encoder: str | FromScratch, place: Callable[..., str]) -> str | FromScratch:
    if isinstance(encoder, str):
        return place(encoder, "encoder")
    return encoder.model_copy(update={"vocab": place(encoder.vocab, "encoder", "vocab")})


def _is_in(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder.rstrip("/") + "/")


def _only_here(path: str, where: str) -> BadInput:
    here = os.path.dirname(path.split("*")[0]) or path
    there = "/" + os.path.basename(here)
    return BadInput(
        f"`{path}` is on this machine only; no container would find it.",
        where=where,
        fix=f"Say where the image, a volume or a bucket has it: --map {here}={there};"
        " or name a source such as pypi:NAME==VERSION.",
    )
