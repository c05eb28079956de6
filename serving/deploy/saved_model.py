"""What a deployment must know of a SavedModel, read without running TensorFlow."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from serving.deploy.refusal import CannotDeploy
from serving.errors import NotAModel
from serving.protos import bare_tensorflow
from serving.server.versions import open_base_path

with bare_tensorflow():
    from serving.ops import check, graph
    from serving.ops.table import UnknownRelease

CARD = "assets.extra/rawbert.json"
_INITIALISERS = "__saved_model"


@dataclass(frozen=True)
class PushedModel:
    """One version of a model.

    Attributes:
        path: its SavedModel folder.
        name: the base path's name, which is the model's unless somebody says otherwise.
        version: its number.
        size: bytes of all its files.
        varying: outputs whose width one batch does not share with the next, `"tokenize.pieces"`.
        signatures: names of the signatures, sorted.
        card: what the model says of itself; empty if it has no card.
    """

    path: Path
    name: str
    version: int
    size: int
    varying: tuple[str, ...]
    signatures: tuple[str, ...]
    card: dict[str, Any]


def read(path: Path) -> PushedModel:
    """Reads the newest version under a base path, or the one version given.

    Raises:
        NotAModel: nothing there can be served.
    """
    base = open_base_path(path)
    version, folder = max(base.versions().items())
    try:
        meta_graph = graph.read_meta_graph(folder)
    except (FileNotFoundError, ValueError) as error:
        raise NotAModel(folder, f"cannot be read ({error})", "Push the model again.") from error
    signatures = {
        name: signature
        for name, signature in meta_graph.signature_def.items()
        if not name.startswith(_INITIALISERS)
    }
    return PushedModel(
        path=folder,
        name=base.default_name,
        version=version,
        size=sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()),
        varying=tuple(sorted(_varying(signatures))),
        signatures=tuple(sorted(signatures)),
        card=_card(folder),
    )


def _varying(signatures: dict[str, Any]) -> list[str]:
    """Outputs with an unknown dimension after the batch, or of unknown rank."""
    return [
        f"{name}.{key}"
        for name, signature in signatures.items()
        for key, output in signature.outputs.items()
        if output.tensor_shape.unknown_rank
        or any(dimension.size < 0 for dimension in output.tensor_shape.dim[1:])
    ]


def _card(folder: Path) -> dict[str, Any]:
    file = folder / CARD
    if not file.is_file():
        return {}
    try:
        card = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise NotAModel(file, f"is no JSON ({error})", "Push the model again.") from error
    return card if isinstance(card, dict) else {}


def check_ops(model: PushedModel, release: str) -> None:
    """Refuses a model with an op, attribute or kernel that the release lacks.

    A release that the table of ops does not have is not judged.

    Raises:
        CannotDeploy: the first finding.
    """
    try:
        findings = check.check(model.path, release)
    except UnknownRelease:
        return
    if findings:
        fix = findings[0].fix or "Choose another release with --tf-serving."
        raise CannotDeploy(f"{model.path} does not run there: {findings[0].found}", fix)
