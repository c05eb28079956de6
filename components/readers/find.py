"""From a recipe's path to files: folders, patterns, lists, and the format of each file."""

import glob
from collections.abc import Iterable, Sequence
from pathlib import Path

from trainer.errors import BadInput

FORMATS = ("csv", "tsv", "jsonl", "txt", "conll")
_EXTENSIONS = {
    ".csv": "csv", ".tsv": "tsv", ".jsonl": "jsonl", ".ndjson": "jsonl", ".txt": "txt",
    ".conll": "conll", ".bio": "conll", ".iob": "conll", ".iob2": "conll",
}  # fmt: skip
_DIRECT = {"csv", "tsv", "jsonl", "conll"}  # formats of files that lie in the folder itself
_PACKED = (".gz", ".bz2")


def format_of(path: Path, given: str | None = None) -> str:
    """The format that a recipe gives, else the one of the file's extension.

    Raises:
        BadInput: neither is one of ``FORMATS``.
    """
    if given is not None and given not in FORMATS:
        raise BadInput(f"unknown format {given!r}", fix=f"Known: {', '.join(FORMATS)}.")
    found = given or _EXTENSIONS.get(_extension(path))
    if found is None:
        raise BadInput(
            f"no format goes with the extension {_extension(path)!r}",
            where=str(path),
            fix=f"Set `format` to one of {', '.join(FORMATS)} (.gz and .bz2 may follow).",
        )
    return found


def _extension(path: Path) -> str:
    plain = path.with_suffix("") if path.suffix.lower() in _PACKED else path
    return plain.suffix.lower()


def expand(path: str | Path | Sequence[str | Path], format: str | None = None) -> list[Path]:
    """Files of a path, a pattern (``data/*.csv``, ``**`` too), a folder or a list of these.

    A folder gives its files of a known format; without any, or with the format txt, the text
    files in its sub-folders, one a class. Hidden files are left out.

    Returns:
        absolute paths in sorted order, each once.

    Raises:
        BadInput: nothing is there.
    """
    parts = [path] if isinstance(path, (str, Path)) else path
    files = {file for part in parts for file in _expand_one(Path(part).expanduser(), format)}
    if not files:
        raise BadInput("no path is given", where="data.path")
    return sorted(files)


def _expand_one(path: Path, format: str | None) -> set[Path]:
    found = [path] if path.exists() else _matches(str(path))
    if not found:
        is_pattern = glob.has_magic(str(path))
        raise BadInput(
            "no file matches this pattern" if is_pattern else "there is no such file or folder",
            where=str(path),
            fix=f"Nearest folder that is there: {_nearest_folder(path)}",
        )
    files = {file for one in found for file in (_in_folder(one, format) if one.is_dir() else [one])}
    return {file.absolute() for file in files}


def _matches(pattern: str) -> list[Path]:
    names = glob.glob(pattern, recursive=True)
    return [Path(name) for name in names]


def _in_folder(folder: Path, format: str | None) -> list[Path]:
    asked = {"conll": {"conll", "txt"}, None: _DIRECT}.get(format, {str(format)})
    direct = _known(folder.iterdir(), asked)
    classes = _known(folder.glob("*/*"), {"txt"})
    files = classes if format == "txt" else direct or (classes if format is None else [])
    if not files:
        raise BadInput(
            f"the folder has no {format or 'csv, tsv, jsonl or conll'} file and no sub-folder "
            "of texts",
            where=str(folder),
            fix="Texts lie in a folder per class: positive/1.txt, negative/2.txt.",
        )
    return files


def _known(paths: Iterable[Path], formats: set[str]) -> list[Path]:
    visible = (path for path in paths if not path.name.startswith(".") and path.is_file())
    return [path for path in visible if _EXTENSIONS.get(_extension(path)) in formats]


def _nearest_folder(path: Path) -> Path:
    return next((parent for parent in path.absolute().parents if parent.is_dir()), Path("/"))
