"""Buckets as sources, on a folder behind the same file system interface."""

from pathlib import Path

import pytest

from components.sources import gs
from trainer.errors import BadInput


@pytest.fixture
def bucket(tmp_path: Path) -> Path:
    folder = tmp_path / "bucket"
    for name in ("data/a.csv", "data/b.csv", "data/notes.md", "data/deep/c.csv"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)
    return folder


@pytest.mark.parametrize(
    ("path", "copied"),
    [
        ("data/a.csv", ["a.csv"]),
        ("data/*.csv", ["a.csv", "b.csv"]),
        ("data", ["data/a.csv", "data/b.csv", "data/deep/c.csv", "data/notes.md"]),
        ("data/*/*.csv", ["deep/c.csv"]),
    ],
    ids=["a file", "a pattern", "a folder", "a pattern of folders"],
)
def test_what_the_url_names_is_copied_under_its_names(
    bucket: Path, tmp_path: Path, path: str, copied: list[str]
) -> None:
    found = gs.copy(f"file://{bucket}/{path}", tmp_path / "cache")
    [folder] = (one for one in (tmp_path / "cache").iterdir() if one.is_dir())
    files = [str(one.relative_to(folder)) for one in folder.rglob("*") if one.is_file()]
    assert sorted(files) == copied
    assert found == folder / path.removeprefix("data/")


def test_a_change_in_the_bucket_is_copied_anew(bucket: Path, tmp_path: Path) -> None:
    url = f"file://{bucket}/data/a.csv"
    first = gs.copy(url, tmp_path / "cache")
    assert gs.copy(url, tmp_path / "cache") == first
    (bucket / "data" / "a.csv").write_text("another")
    assert gs.copy(url, tmp_path / "cache").read_text() == "another"
    assert first.read_text() == "data/a.csv"


def test_nothing_there(bucket: Path, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"none/\*.csv: nothing is there"):
        gs.copy(f"file://{bucket}/none/*.csv", tmp_path / "cache")
