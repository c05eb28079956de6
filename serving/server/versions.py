"""A model's base path and the versions in it, as TF Serving reads them.

reviews/            the base path
  1/saved_model.pb  a version
  00000002/…        version 2
  tmp-3/…           not a version: its name is no number
  4/variables/…     not yet one: saved_model.pb has not been copied
"""

import dataclasses
from pathlib import Path

from serving.errors import NotAModel

_MODEL_FILES = ("saved_model.pb", "saved_model.pbtxt")


@dataclasses.dataclass(frozen=True)
class BasePath:
    """Where versions appear; `pinned` names the only one to serve, if one was asked for."""

    path: Path
    pinned: int | None = None
    pinned_path: Path | None = None

    def versions(self) -> dict[int, Path]:
        """The complete versions that may be served, by number; empty if the folder is gone."""
        if self.pinned is None:
            return versions_under(self.path)
        assert self.pinned_path is not None
        return {self.pinned: self.pinned_path} if is_saved_model(self.pinned_path) else {}

    @property
    def default_name(self) -> str:
        """The model name that goes without saying: the name of the base folder."""
        return self.path.name or "default"


def is_saved_model(folder: Path) -> bool:
    """Whether the folder has the file that a SavedModel's writer writes last."""
    return any((folder / name).is_file() for name in _MODEL_FILES)


def version_of(folder: Path) -> int | None:
    """The version that a folder's name says (`00000123` is 123), or None."""
    name = folder.name
    return int(name) if name.isascii() and name.isdigit() else None


def versions_under(base: Path) -> dict[int, Path]:
    """The complete versions directly under `base`, by number, oldest first."""
    try:
        folders = sorted(base.iterdir())
    except OSError:
        return {}
    found = {version_of(f): f for f in folders if version_of(f) is not None and is_saved_model(f)}
    return dict(sorted((number, folder) for number, folder in found.items() if number is not None))


def open_base_path(path: str | Path) -> BasePath:
    """Reads `path` as a base path, or as one version of it, which is then pinned.

    A SavedModel whose folder's name is no number is served as version 1.

    Raises:
        NotAModel: nothing there can be served; says what was found instead.
    """
    path = Path(path).expanduser().absolute()
    if is_saved_model(path):
        number = version_of(path)
        base = path if number is None else path.parent
        return BasePath(base, 1 if number is None else number, path)
    check_versions(BasePath(path))
    return BasePath(path)


def check_versions(base: BasePath) -> None:
    """Whether anything there looks like a version.

    Raises:
        NotAModel: nothing does; says what was found instead.
    """
    if not base.versions():
        raise NotAModel(base.path, _found_in(base.path), _fix_for(base.path))


def _found_in(path: Path) -> str:
    if not path.exists():
        return "does not exist"
    if not path.is_dir():
        return "is a file, not a model's folder"
    names = sorted(entry.name for entry in path.iterdir())
    if not names:
        return "is an empty folder"
    half_copied = [name for name in names if version_of(path / name) is not None]
    if half_copied:
        return f"version {', '.join(half_copied)} has no saved_model.pb (still being copied?)"
    shown = ", ".join(names[:5]) + (", …" if len(names) > 5 else "")
    return f"is no SavedModel and has no numbered versions; it holds {shown}"


def _fix_for(path: Path) -> str:
    candidates = (file.parent for file in path.glob("*/*/saved_model.pb")) if path.is_dir() else ()
    for version in candidates:
        if version_of(version) is not None:
            return f"Did you mean {version.parent}?"
    return "Give a base path with numbered versions (reviews/1/saved_model.pb) or one version."
