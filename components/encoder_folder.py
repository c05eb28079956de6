"""Lays an encoder out as the folder that training and preprocessing read.

    config.json             Hugging Face's keys
    model.safetensors       absent: trained from scratch
    vocab.txt               one piece a line, in id order
    tokenizer_config.json   {"do_lower_case": true or false}

Recipes are checked with it before anything is composed: no TFX in here, and TensorFlow only where
a checkpoint of its own is converted.
"""

import contextlib
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from components import sources
from components.sources import layout, tf_checkpoint
from components.sources.folder import fingerprint as fingerprint_of_files
from trainer.errors import BadInput
from trainer.model.checkpoints import safetensors
from trainer.model.config import EncoderConfig
from trainer.text.vocabulary import Vocabulary

_FROM_SCRATCH = "layers, width, heads, intermediate, max_positions, dropout, vocab, lower_case"


def lay_out(source: str, folder: Path, *, copy: bool = True) -> dict[str, Any]:
    """Writes the encoder's folder and checks that its parts fit each other.

    Args:
        source: a source string, or JSON of a mapping (an encoder from scratch).
        folder: made if absent.
        copy: whether weights are copied; else they are linked to where they lie in the cache.

    Returns:
        source, sha256 (of the content), from_scratch and lower_case.

    Raises:
        BadInput: no encoder, a vocabulary that does not fit, a checkpoint cut short.
        OSError: the network or the disk is at fault.
    """
    folder.mkdir(parents=True, exist_ok=True)
    name = "encoder" if _mapping(source) else source
    with _blaming(folder, name):
        if mapping := _mapping(source):
            lower = _write_scratch(mapping, folder)
        else:
            lower = _write_pretrained(source, folder, copy)
        said = json.dumps({"do_lower_case": lower}) + "\n"
        (folder / "tokenizer_config.json").write_text(said, encoding="utf-8")
        safetensors.check(folder)
        vocabulary = folder / layout.VOCABULARY
        Vocabulary.parse(vocabulary.read_bytes(), str(vocabulary))
    return {
        "source": source,
        "sha256": fingerprint_of_files(folder),
        "from_scratch": bool(mapping),
        "lower_case": lower,
    }


def check_encoder(source: str) -> EncoderConfig:
    """Its dimensions; raises what `lay_out` would, and leaves but the cached download behind."""
    with tempfile.TemporaryDirectory(prefix="rawbert-encoder-") as folder:
        lay_out(source, Path(folder), copy=False)
        return EncoderConfig.from_json(folder)


def fingerprint(source: str) -> str:
    """What stands for the encoder's content in TFX's cache: changes when a byte of it changes.

    A pinned `pypi:` release by its file's SHA-256, without a download; everything else by content.

    Raises:
        BadInput: as `components.sources.resolve`.
    """
    if mapping := _mapping(source):
        vocabulary = hashlib.sha256(_vocabulary(mapping)).hexdigest()
        said = json.dumps(mapping | {"vocab": vocabulary}, sort_keys=True)
        return hashlib.sha256(said.encode()).hexdigest()
    scheme, rest = sources.split(source)
    if scheme == "pypi":
        from components.sources import pypi

        return pypi.fingerprint(rest)
    return fingerprint_of_files(sources.resolve(source))


def _mapping(source: str) -> dict[str, Any]:
    """The mapping of an encoder from scratch; empty for a source string."""
    if not source.lstrip().startswith("{"):
        return {}
    try:
        parsed = json.loads(source)
    except json.JSONDecodeError as error:
        raise BadInput(f"it is not JSON ({error}).", where="encoder", fix="") from error
    wanted = {"layers", "width", "heads", "vocab"}
    unknown = sorted(set(parsed) - set(_FROM_SCRATCH.split(", ")))
    if unknown or not wanted.issubset(parsed):
        problem = f"unknown key {unknown[0]}" if unknown else f"no {min(wanted - set(parsed))}"
        fix = f"An encoder from scratch has the keys {_FROM_SCRATCH}."
        raise BadInput(f"{problem}.", where="encoder", fix=fix)
    return parsed


def _write_scratch(mapping: dict[str, Any], folder: Path) -> bool:
    vocabulary = _vocabulary(mapping)
    (folder / layout.VOCABULARY).write_bytes(vocabulary)
    # Not splitlines: some vocabularies hold pieces that Unicode calls line ends.
    pieces = vocabulary.replace(b"\r", b"").removesuffix(b"\n").split(b"\n")
    width, dropout = mapping["width"], mapping.get("dropout", 0.1)
    EncoderConfig(
        vocab_size=len(pieces),
        hidden_size=width,
        num_layers=mapping["layers"],
        num_heads=mapping["heads"],
        intermediate_size=mapping.get("intermediate") or 4 * width,
        max_positions=mapping.get("max_positions", 512),
        dropout=dropout,
        attention_dropout=dropout,
        pad_id=pieces.index(b"[PAD]") if b"[PAD]" in pieces else 0,
    ).to_json(folder / "config.json")
    return bool(mapping.get("lower_case", True))


def _vocabulary(mapping: dict[str, Any]) -> bytes:
    """The bytes of `vocab`: a vocab.txt, or an encoder's folder or source that has one."""
    path = sources.resolve(mapping["vocab"])
    if path.is_file():
        return path.read_bytes()
    if layout.has_vocabulary(path):
        return layout.vocabulary(path, mapping["vocab"])
    raise BadInput(
        f"{mapping['vocab']} holds no vocab.txt.",
        where="encoder.vocab",
        fix="Name a vocab.txt, or an encoder that has one.",
    )


def _write_pretrained(source: str, folder: Path, copy: bool) -> bool:
    found = sources.resolve(source)
    if not found.is_dir():
        fix = "Name the folder that holds it, with config.json and vocab.txt."
        raise BadInput("an encoder is a folder, this is a file.", where=source, fix=fix)
    if not (found / layout.WEIGHTS).is_file() and tf_checkpoint.prefix_of(found):
        tf_checkpoint.convert(found, folder, source)
        found = folder
    layout.check_layout(found, source)
    lower = layout.lower_case(found, source)
    if found != folder:
        (folder / layout.VOCABULARY).write_bytes(layout.vocabulary(found, source))
        shutil.copyfile(found / "config.json", folder / "config.json")
        place = shutil.copyfile if copy else os.symlink
        place((found / layout.WEIGHTS).resolve(), folder / layout.WEIGHTS)
    return lower


@contextlib.contextmanager
def _blaming(folder: Path, source: str) -> Iterator[None]:
    """Names the user's source in an error, not the folder that we lay out."""
    try:
        yield
    except BadInput as error:
        where = error.where.replace(str(folder), source)
        raise BadInput(error.found, where=where, fix=error.fix) from error
