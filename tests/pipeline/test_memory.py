"""A run that this machine cannot hold is told before it starts."""

import json
from pathlib import Path

import pytest

from pipeline import memory


@pytest.fixture
def settings(tmp_path: Path) -> str:
    """The reader's settings of a file of 1,000,000 bytes."""
    file = tmp_path / "texts.csv"
    file.write_bytes(b"text,label\n".ljust(1_000_000, b"x"))
    return json.dumps({"path": str(file), "format": None})


NEEDED = memory.OF_THE_PROCESS + 1e6 * memory.BYTES_A_BYTE_OF_TEXT


@pytest.mark.parametrize(
    ("available", "said"),
    [
        (NEEDED, ""),
        (NEEDED - 1e6, "8,000 texts of 0.0 GB need about 1 GB"),
        (memory.OF_THE_PROCESS, "enough for about 0 such texts"),
        (memory.OF_THE_PROCESS + 5e5 * memory.BYTES_A_BYTE_OF_TEXT, "about 4,000 such texts"),
        (0, "--beam-arg"),
    ],
    ids=["as much as is needed", "a little less", "none for a row", "half", "nothing"],
)
def test_what_is_said(settings: str, available: float, said: str) -> None:
    warned = memory.warning(settings, 8_000, int(available))
    assert said in warned
    assert bool(warned) == bool(said)


def test_a_packed_file_counts_as_what_it_holds(settings: str, tmp_path: Path) -> None:
    packed = (tmp_path / "texts.csv").rename(tmp_path / "texts.csv.gz")
    packed_settings = json.dumps({"path": {"train": str(packed)}, "format": "csv"})
    assert memory.warning(packed_settings, 8_000, int(NEEDED))


@pytest.mark.parametrize(
    ("weights", "precision", "available", "said"),
    [
        (10_600_000, "float32", 7.3e9, ""),
        (85_000_000, "float32", 24e9, "340 MB need about 37 GB"),
        (85_000_000, "bfloat16", 24e9, ""),
        (302_000_000, "bfloat16", 24e9, "604 MB"),
    ],
    ids=["MiniLM", "BERT-base", "BERT-base, half as large", "BERT-large"],
)
def test_what_is_said_of_constants(
    weights: int, precision: str, available: float, said: str
) -> None:
    warned = memory.warning_of_constants(weights, precision, int(available))
    assert said in warned
    assert bool(warned) == bool(said)


def test_this_machine_has_memory() -> None:
    assert 0 < memory.available() < 2**50
