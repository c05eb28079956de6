"""Which folders are versions, and what is said where there are none."""

from pathlib import Path

import pytest

from serving.errors import NotAModel
from serving.server.versions import open_base_path, versions_under


def make(base: Path, *files: str) -> Path:
    base.mkdir()
    for name in files:
        (base / name).parent.mkdir(parents=True, exist_ok=True)
        (base / name).write_bytes(b"")
    return base


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        (["1/saved_model.pb"], [1]),
        (["1/saved_model.pb", "10/saved_model.pb", "9/saved_model.pb"], [1, 9, 10]),
        (["00000123/saved_model.pb"], [123]),
        (["1/saved_model.pb", "2/variables/x"], [1]),
        (["1/saved_model.pb", "tmp-2/saved_model.pb", "-3/saved_model.pb"], [1]),
        (["1/saved_model.pb", "²/saved_model.pb"], [1]),
        (["1/saved_model.pbtxt"], [1]),
        (["vocab.txt"], []),
    ],
    ids=["one", "numeric", "zeros", "half-copied", "named", "superscript", "text", "none"],
)
def test_versions_are_complete_folders_named_by_numbers(
    tmp_path: Path, files: list[str], expected: list[int]
) -> None:
    assert list(versions_under(make(tmp_path / "m", *files))) == expected


def test_a_vanished_base_path_has_no_versions(tmp_path: Path) -> None:
    assert versions_under(tmp_path / "gone") == {}


def test_a_version_folder_is_pinned(tmp_path: Path) -> None:
    base = make(tmp_path / "reviews", "0007/saved_model.pb", "8/saved_model.pb")
    opened = open_base_path(base / "0007")
    assert (opened.versions(), opened.default_name) == ({7: base / "0007"}, "reviews")


def test_a_saved_model_without_a_number_is_version_one(tmp_path: Path) -> None:
    base = make(tmp_path / "mine", "saved_model.pb")
    opened = open_base_path(base)
    assert (opened.versions(), opened.default_name) == ({1: base}, "mine")


@pytest.mark.parametrize(
    ("files", "path", "says"),
    [
        ([], "absent", "does not exist"),
        ([], ".", "is an empty folder"),
        (["notes.txt"], "notes.txt", "is a file"),
        (["a", "b"], ".", "it holds a, b"),
        (["3/variables/x"], ".", "version 3 has no saved_model.pb"),
        (["serving/r/1/saved_model.pb"], "serving", "Did you mean .*serving/r?"),
    ],
    ids=["absent", "empty", "file", "other files", "half-copied", "one too high"],
)
def test_what_is_no_model_says_what_was_found(
    tmp_path: Path, files: list[str], path: str, says: str
) -> None:
    base = make(tmp_path / "m", *files)
    with pytest.raises(NotAModel, match=says):
        open_base_path(base / path)
