"""Checks a recipe against the world before anything starts: names, data, encoder.

`pipeline.recipe` has typed it; here its sources are brought and read once, so that a mistake costs
seconds, not the half hour until the component that would have met it. No TFX in here.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from components import encoder_folder, readers, sources
from components.readers import survey
from components.readers.fingerprint import fingerprint
from components.readers.select import Selection
from components.readers.survey import Survey
from components.sources import licence
from components.splits import given_files
from pipeline.recipe import FromScratch, Recipe, Splits
from pipeline.recipe_yaml import Document, KeyPath
from serving.ops import table
from trainer.errors import BadInput
from trainer.model.config import EncoderConfig
from trainer.span_columns import SPANS, WORDS


@dataclass(frozen=True)
class Inputs:
    """What a recipe's sources came to when they were resolved and read.

    Attributes:
        data: JSON of the reader's settings, with local paths in place of sources.
        data_fingerprint: digest of the files' content; part of the cache's key.
        encoder: the encoder's source, or JSON of its dimensions.
        encoder_fingerprint: digest of its content; part of the cache's key.
        product_weights: of the encoder's layers.
        survey: what one reading of the data found.
        data_licence: what the data's source says of it.
        encoder_licence: likewise.
    """

    data: str
    data_fingerprint: str
    encoder: str
    encoder_fingerprint: str
    product_weights: int
    survey: Survey
    data_licence: str = licence.UNKNOWN
    encoder_licence: str = licence.UNKNOWN


# A column of this name in an Example would be taken for the signature's tensor of that name by
# TFMA and bulk inference. The text column may be called `text`: there it is the same thing.
SIGNATURE_NAMES = {
    "text": "an input of `serving_default`",
    "text_pair": "an input of `serving_default`",
    "inputs": "the input of `classify`",
    "examples": "the input of `examples`",
    **dict.fromkeys(
        ("label", "score", "labels", "scores", "dropped_tokens"), "an output of `serving_default`"
    ),
    "classes": "an output of `classify`",
    "outputs": "the output of `regress`",
    **dict.fromkeys(
        ("pieces", "input_word_ids", "input_type_ids", "starts", "ends", "n_pieces"),
        "an output of `tokenize`",
    ),
    "input_mask": "an output of `transform_features`",
    **dict.fromkeys(("pooled", "mean"), "an output of `embed`"),
}
_TAG_NAMES = {
    name: note
    for name, note in SIGNATURE_NAMES.items()
    if name not in ("label", "score", "labels", "scores", "inputs", "classes", "outputs")
} | {
    **dict.fromkeys(
        (
            "tokens", "tags", "char_starts", "char_ends", "n_tokens", "entities", "entity_types",
            "entity_starts", "entity_ends", "entity_char_starts", "entity_char_ends",
            "entity_scores", "n_entities",
        ),
        "an output of `serving_default`",
    ),
    **dict.fromkeys(
        ("first_piece", "tag_ids", "misaligned_spans"), "an output of `transform_features`"
    ),
    **dict.fromkeys((*SPANS, *WORDS), "a column that tagged examples have"),
}  # fmt: skip


def check(recipe: Recipe, document: Document) -> Inputs:
    """Brings and reads all that the recipe names.

    Raises:
        BadInput: what cannot be used; file, line, key, what was found and what would do.
        OSError: the network or the disk is at fault.
    """
    _check_names(recipe, document)
    _check_tf_serving(recipe, document)
    data, found = _check_data(recipe, document)
    encoder, dimensions = _check_encoder(recipe, document)
    return Inputs(
        data=json.dumps(data, sort_keys=True),
        data_fingerprint=fingerprint(data),
        encoder=encoder,
        encoder_fingerprint=encoder_folder.fingerprint(encoder),
        product_weights=dimensions.product_weights,
        survey=found,
        data_licence=_licences(recipe.data.path),
        encoder_licence=_licences(recipe.encoder),
    )


def _licences(source: str | Splits | FromScratch) -> str:
    """What sources that were brought before say; of an encoder from scratch there is no other."""
    if isinstance(source, FromScratch):
        return "as the data: trained from scratch"
    if isinstance(source, Splits):
        return "; ".join(
            dict.fromkeys(_licences(one) for one in source.model_dump().values() if one)
        )
    scheme, _ = sources.split(source)
    return licence.licence_of(source, sources.resolve(source) if scheme else Path(source))


def _check_names(recipe: Recipe, document: Document) -> None:
    used: list[tuple[KeyPath, str]] = [
        (("data", "text"), recipe.data.text),
        *((("gate", "slices"), column) for column in recipe.slice_columns),
    ]
    reserved = _TAG_NAMES
    if recipe.task == "classify":
        _check_label(recipe, document)
        reserved = SIGNATURE_NAMES
        used.insert(1, (("data", "label"), recipe.data.label))
    for keys, column in used:
        if column in reserved and (keys, column) != (("data", "text"), "text"):
            key = ".".join(map(str, keys))
            raise BadInput(
                f"the column `{column}` is called like {reserved[column]}.",
                where=document.where(keys),
                fix=f"Write `rename: {{{column}: {column}_given}}` under `data`"
                f" and `{key}: {column}_given`.",
            )


def _check_label(recipe: Recipe, document: Document) -> None:
    if recipe.data.text == recipe.data.label:
        raise BadInput(
            f"text and label are the same column `{recipe.data.text}`.",
            where=document.where(("data", "label")),
            fix="A model that reads its label learns nothing.",
        )


def _check_tf_serving(recipe: Recipe, document: Document) -> None:
    try:
        table.OpTable(recipe.serve.tf_serving)
    except table.UnknownRelease as error:
        raise BadInput(
            f"TensorFlow Serving {recipe.serve.tf_serving} is not known here.",
            where=document.where(("serve", "tf_serving")),
            fix=f"Known releases: {', '.join(table.releases())}.",
        ) from error


def _check_encoder(recipe: Recipe, document: Document) -> tuple[str, EncoderConfig]:
    encoder = recipe.encoder
    source = as_source(encoder) if isinstance(encoder, FromScratch) else encoder
    with _at(document, ("encoder",)):
        dimensions = encoder_folder.check_encoder(source)
    positions = dimensions.max_positions
    if recipe.max_tokens > positions:
        raise BadInput(
            f"{recipe.max_tokens} tokens, but the encoder has {positions} positions.",
            where=document.where(("max_tokens",)),
            fix=f"Write {positions} or less.",
        )
    return source, dimensions


def as_source(encoder: FromScratch) -> str:
    """An encoder from scratch as `components.encoder_folder` takes it: JSON of its dimensions."""
    return json.dumps(encoder.model_dump(), sort_keys=True)


def _check_data(recipe: Recipe, document: Document) -> tuple[dict[str, Any], Survey]:
    section = recipe.data
    with _at(document, ("data", "path")):
        path = localized(section.path)
        files = given_files(path, section.format)
    every_file = [file for split in files.values() for file in split]
    tags = None
    if recipe.task == "tag":
        tags = section.model_dump(include={"columns", "scheme", "repair"})
    with _at(document, ("data",)):
        selection = Selection.of(
            section.text,
            section.label,
            section.keep,
            recipe.slice_columns,
            section.rename,
            tags=tags,
        )
        for file in every_file:
            readers.require(file, selection.needed, section.format, selection.tagged)
        found = survey.survey(
            files if tags else every_file,
            section.text,
            section.label,
            section.keep,
            section.format,
            section.rename,
            tags=tags,
        )
        found.refuse(selection, section.bad_rows)
    if tags is not None:
        tags["scheme"] = found.scheme  # what was found out need not be found out again
    data = {
        "path": path,
        "format": section.format,
        "task": recipe.task,
        "text": section.text,
        "label": section.label,
        "columns": recipe.slice_columns,
        "keep": section.keep,
        "rename": section.rename,
        "tags": tags,
    }
    if section.schema_ and not Path(section.schema_).is_file():
        raise BadInput(
            f"no such schema: {section.schema_}.",
            where=document.where(("data", "schema")),
            fix="Name a schema.pbtxt, or leave the key out and one is inferred from train.",
        )
    return data, found


def localized(path: str | Splits) -> str | dict[str, str]:
    """A recipe's `data.path` on this machine, see `components.sources.localized`; by split if so.

    Raises:
        BadInput, OSError: a source that cannot be had.
    """
    if isinstance(path, str):
        return sources.localized(path)
    return {split: sources.localized(one) for split, one in path.model_dump().items() if one}


class _at:  # noqa: N801 - a context manager that reads as a preposition
    """Names the recipe's line in an error that knows only its own place."""

    def __init__(self, document: Document, keys: KeyPath) -> None:
        self._document, self._keys = document, keys

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type | None, error: BaseException | None, _: object) -> None:
        if isinstance(error, BadInput):
            where = self._document.where(self._keys)
            inner = "" if error.where in ("", ".".join(map(str, self._keys))) else error.where
            raise BadInput(
                f"{inner}: {error.found}" if inner else error.found, where=where, fix=error.fix
            ) from error
