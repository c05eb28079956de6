"""What a recipe and its sources tell the model card."""

import re

from components.evaluation_results import TITLES
from components.model_card import Told
from pipeline.check import Inputs
from pipeline.recipe import FromScratch, Recipe


def told(recipe: Recipe, inputs: Inputs) -> Told:
    """The recipe's part of the card. Places on this machine are left out, names stay."""
    gate = recipe.gate
    title, bound = TITLES[gate.metric], gate.bound
    bounds = {"": f"{title} ≥ {bound.at_least:g} on the whole test split"}
    bounds["drop"] = f"at most {bound.may_drop:g} below the last blessed model"
    for column, at_least in gate.slice_bounds().items():
        if at_least is not None:
            bounds[column] = f"{title} ≥ {at_least:g} on every {column}"
    return Told(
        name=recipe.name,
        task=recipe.task,
        data=_data(recipe),
        data_digest=inputs.data_fingerprint,
        data_licence=recipe.card.data_licence or inputs.data_licence,
        encoder=_encoder(recipe.encoder),
        encoder_licence=recipe.card.encoder_licence or inputs.encoder_licence,
        intended_use=recipe.card.intended_use or "",
        limits=recipe.card.limits or "",
        max_tokens=recipe.max_tokens,
        tf_serving=recipe.serve.tf_serving,
        gate=bounds,
    )


def _data(recipe: Recipe) -> str:
    path = recipe.data.path
    if isinstance(path, str):
        return _named(path)
    return ", ".join(f"{split}: {_named(one)}" for split, one in path.model_dump().items() if one)


def _encoder(encoder: str | FromScratch) -> str:
    if isinstance(encoder, FromScratch):
        size = f"{encoder.layers} layers, {encoder.width} wide, {encoder.heads} heads"
        return f"from scratch: {size}, vocabulary {_named(encoder.vocab)}"
    return _named(encoder)


def _named(source: str) -> str:
    """A source; of a path the last name, since the way there is this machine's business."""
    if re.match(r"[a-z]{2,}:", source):
        return source
    return source.rstrip("/").rsplit("/", 1)[-1]
