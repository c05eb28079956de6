"""A local file or folder as a source: used where it lies."""

import difflib
import hashlib
from pathlib import Path

from components.sources import catalogue
from components.sources.download import sha256_of
from components.sources.layout import FILES, WEIGHTS
from components.sources.progress import Progress, silent
from trainer.errors import BadInput


def resolve(source: str, cache: Path | None = None, progress: Progress = silent) -> Path:
    """The path itself, made absolute, if it is there.

    Raises:
        BadInput: nothing is there; names what lies beside it.
    """
    path = Path(source).expanduser().absolute()
    if path.exists():
        return path
    beside = [p.name for p in path.parent.iterdir()] if path.parent.is_dir() else []
    near = difflib.get_close_matches(path.name, beside, 3) or sorted(beside)[:3]
    if names := difflib.get_close_matches(str(source), catalogue.entries(), 1):
        near = [f"the short name {names[0]}"]
    raise BadInput(
        "there is no such file or folder.",
        where=str(source),
        fix=f"There is {', '.join(near)}."
        if near
        else "Sources are pypi:NAME==VERSION, hf:ORG/NAME, kaggle:…, tfhub:… or a local path.",
    )


def fingerprint(path: Path) -> str:
    """The SHA-256 of what a file or a folder holds, names and bytes; of an encoder, its files'."""
    if path.is_file():
        return sha256_of(path)
    encoder = (path / WEIGHTS).is_file()
    files = [path / name for name in FILES] if encoder else path.rglob("*")
    digest = hashlib.sha256()
    for file in sorted(file for file in files if file.is_file()):
        digest.update(f"{file.relative_to(path)} {sha256_of(file)}\n".encode())
    return digest.hexdigest()
