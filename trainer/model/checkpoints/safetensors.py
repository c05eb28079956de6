"""Hugging Face's BERT checkpoints (``model.safetensors``), in and out.

Files of models with a task head (``bert.`` before every name) and of old exports
(``LayerNorm.gamma``) are read too. ``check`` reads headers alone and needs no TensorFlow, so that
an importer of encoders can call it.
"""

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from trainer.errors import BadInput
from trainer.model.checkpoints import names
from trainer.model.checkpoints.tensor_file import FLOATS, Entry, read_header, read_tensor
from trainer.model.config import EncoderConfig

if TYPE_CHECKING:
    from trainer.model.encoder import Encoder

WEIGHTS, VOCABULARY = "model.safetensors", "vocab.txt"
_OTHER_FORMATS = ("model.safetensors.index.json", "pytorch_model.bin", "tf_model.h5")


class LoadReport(NamedTuple):
    """How a file's tensors and an encoder's fit; names as the file has them."""

    loaded: tuple[str, ...]
    missing: tuple[str, ...]  # canonical names; these variables keep their first values
    unexpected: tuple[str, ...]
    wrong_shape: tuple[tuple[str, tuple[int, ...], tuple[int, ...]], ...]  # name, found, expected


class CheckpointReport(NamedTuple):
    """What an encoder's folder holds."""

    config: EncoderConfig
    vocabulary: int  # lines of vocab.txt; fewer than rows of the embeddings is common padding
    from_scratch: bool  # there are no weights, and that is meant
    tensors: LoadReport


def check(folder: str | Path) -> CheckpointReport:
    """Checks that configuration, vocabulary and weights of a folder fit each other.

    Args:
        folder: with config.json, vocab.txt and model.safetensors (none: trained from scratch).

    Raises:
        BadInput: a file absent, cut short or of another format, a shape that does not fit, an
            encoder's tensor missing or quantized. The pooler may be missing; some have none.
    """
    folder = Path(folder)
    config = EncoderConfig.from_json(folder)
    lines = _count_lines(folder / VOCABULARY)
    found = _found(folder)
    report = _compare(config, found)
    words = found.get("embeddings.word_embeddings.weight")
    rows = words[1].shape[0] if words and words[1].shape else config.vocab_size
    if lines > rows:
        raise BadInput(
            f"{lines:,} lines, but the encoder has embeddings for {rows:,}.",
            where=str(folder / VOCABULARY),
            fix="Take the vocab.txt that belongs to the checkpoint.",
        )
    if found:
        _refuse_unfit(report, folder / WEIGHTS)
        _refuse_quantized(found, report.loaded, folder / WEIGHTS)
    return CheckpointReport(config, lines, not found, report)


def load(encoder: "Encoder", folder: str | Path) -> LoadReport:
    """Gives an encoder the weights of a folder; without ``model.safetensors`` it keeps its own.

    A missing pooler keeps its truncated-normal start, as in transformers, and is reported.

    Raises:
        BadInput: what ``check`` raises, or a tensor that is not finite; nothing is loaded then.
    """
    folder = Path(folder)
    report, found = check(folder), _found(folder)
    if names.shapes(report.config) != names.shapes(encoder.config):
        raise ValueError(f"the encoder was not made from {folder / 'config.json'}")
    values = {
        ours: np.concatenate([read_tensor(folder / WEIGHTS, *found[name]) for name in theirs])
        for ours, theirs in names.tensors_of(encoder.config).items()
        if all(name in found for name in theirs)
    }
    variables = _variables(encoder)
    for ours, value in values.items():
        variables[ours].assign(value.T if ours.endswith("kernel") else value)
    return report.tensors


def save(encoder: "Encoder", folder: str | Path) -> None:
    """Writes ``config.json`` and ``model.safetensors`` as transformers' ``BertModel`` reads them.

    Raises:
        OSError: the folder cannot be written; no half-written file is left under the last name.
    """
    from safetensors.numpy import save_file

    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    variables, tensors = _variables(encoder), {}
    for ours, theirs in names.tensors_of(encoder.config).items():
        values = np.asarray(variables[ours], np.float32)
        values = values.T if ours.endswith("kernel") else values
        for name, part in zip(theirs, np.split(values, len(theirs)), strict=True):
            tensors[name] = np.ascontiguousarray(part)
    partial = folder / f"{WEIGHTS}.partial"
    try:
        save_file(tensors, partial, metadata={"format": "pt"})
        partial.replace(folder / WEIGHTS)
    finally:
        partial.unlink(missing_ok=True)
    encoder.config.to_json(folder / "config.json")


def _found(folder: Path) -> dict[str, tuple[str, Entry]]:
    """Canonical name ▶ the file's own name and place; empty where there are no weights."""
    path = folder / WEIGHTS
    if path.exists():
        return {names.canonical(name): (name, entry) for name, entry in read_header(path).items()}
    for other in _OTHER_FORMATS:
        if (folder / other).exists():
            raise BadInput(
                f"there is {other}, but no {WEIGHTS}.",
                where=str(folder),
                fix=f"Save the model with transformers' save_pretrained as one {WEIGHTS}.",
            )
    return {}


def _compare(config: EncoderConfig, found: dict[str, tuple[str, Entry]]) -> LoadReport:
    expected = names.shapes(config)
    fitting = {n for n in expected if n in found and found[n][1].shape == expected[n]}
    return LoadReport(
        loaded=tuple(found[name][0] for name in expected if name in fitting),
        missing=tuple(name for name in expected if name not in found),
        unexpected=tuple(own for name, (own, _) in found.items() if name not in expected),
        wrong_shape=tuple(
            (found[name][0], found[name][1].shape, shape)
            for name, shape in expected.items()
            if name in found and name not in fitting
        ),
    )


def _refuse_unfit(report: LoadReport, path: Path) -> None:
    fix = "Take config.json and weights of one and the same BERT checkpoint."
    if report.wrong_shape:
        name, shape, expected = report.wrong_shape[0]
        problem = f"is {list(shape)}, but config.json asks for {list(expected)}"
        more = _and_more(report.wrong_shape)
        raise BadInput(f"tensor {name!r} {problem}{more}.", where=str(path), fix=fix)
    missing = [name for name in report.missing if not name.startswith("pooler.")]
    if missing:
        more = _and_more(missing)
        raise BadInput(f"tensor {missing[0]!r} is missing{more}.", where=str(path), fix=fix)


def _refuse_quantized(
    found: dict[str, tuple[str, Entry]], loaded: tuple[str, ...], path: Path
) -> None:
    for name, entry in found.values():
        if name in loaded and entry.dtype not in FLOATS:
            raise BadInput(
                f"tensor {name!r} is of type {entry.dtype}.",
                where=str(path),
                fix=f"Weights are one of {', '.join(FLOATS)}: take a checkpoint not quantized.",
            )


def _and_more(items: tuple | list) -> str:
    return f" ({len(items) - 1} more like it)" if len(items) > 1 else ""


def _count_lines(path: Path) -> int:
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        fix = "An encoder's folder holds the vocab.txt that it was trained with."
        raise BadInput("no such file.", where=str(path), fix=fix) from None
    return content.count(b"\n") + (not content.endswith(b"\n") and bool(content))


def _variables(encoder: "Encoder") -> dict:
    return {
        variable.path.removeprefix(f"{encoder.path}/"): variable for variable in encoder.weights
    }
