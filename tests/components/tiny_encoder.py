"""An encoder of a few kilobytes in Hugging Face's layout, with weights that fit its config."""

import json
from pathlib import Path

import numpy as np
from safetensors.numpy import save

from trainer.model.checkpoints import names
from trainer.model.config import EncoderConfig

PIECES = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "good", "bad", "##ly", "film", "."]


def files(pieces: list[str] = PIECES, **tokenizer: object) -> dict[str, bytes]:
    """The folder's files; `tokenizer` is what tokenizer_config.json says."""
    config = EncoderConfig(len(pieces), 4, 1, 2, 8, max_positions=16)
    random = np.random.default_rng(0)
    weights = {
        name: random.normal(size=shape).astype(np.float32)
        for name, shape in names.shapes(config).items()
    }
    return {
        "config.json": json.dumps(config.as_huggingface()).encode(),
        "model.safetensors": save(weights),
        "vocab.txt": "".join(f"{piece}\n" for piece in pieces).encode(),
        "tokenizer_config.json": json.dumps(tokenizer or {"do_lower_case": True}).encode(),
    }


def write(folder: Path, **others: bytes | None) -> Path:
    """Writes the files; `others` replaces files by stem (`vocab=b"…"`), None leaves one out."""
    folder.mkdir(parents=True)
    stems = {Path(name).stem: name for name in files()} | {"tokenizer": "tokenizer.json"}
    changed = {stems[stem]: body for stem, body in others.items()}
    for name, body in (files() | changed).items():
        if body is not None:
            (folder / name).write_bytes(body)
    return folder
