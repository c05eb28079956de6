"""Where the answers go, and how the shards' files become one."""

import bz2
import gzip
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from trainer.errors import BadInput

_OPEN: dict[str, Callable[..., Any]] = {".gz": gzip.open, ".bz2": bz2.open}


def outputs(source: Path, files: list[Path], out: Path, overwrite: bool) -> list[Path]:
    """The file that each of the input's becomes.

    Raises:
        BadInput: two would become one, one is there, or it is called like another format.
    """
    found = [out] if source.is_file() else [out / file.name for file in files]
    twice = {file.name for file in found if found.count(file) > 1}
    if twice:
        raise BadInput(
            f"several files are called {min(twice)!r}, and would become one",
            where=str(source),
            fix="Ask about one folder at a time.",
        )
    for file, output in zip(files, found, strict=True):
        if output.exists() and output.samefile(file):
            raise BadInput("the output is the input", where=str(out), fix="Name another file.")
        if output.is_dir() or (output.exists() and not overwrite):
            raise BadInput(
                "a folder" if output.is_dir() else "is there already",
                where=str(output),
                fix="Name another output, or say --overwrite.",
            )
        if _ending(output) != _ending(file):
            stem = output.name.removesuffix(_ending(output))
            raise BadInput(
                f"the output is in the format of the input, {file.name!r}",
                where=str(output),
                fix=f"Call it {stem + _ending(file)!r}, say.",
            )
    return found


def beside(out: Path, what: str) -> Path:
    """A path next to the output's; of the folder that is called ``.``, too."""
    out = out if out.name else out.absolute()
    return out.with_name(f"{out.name}.{what}")


def join(head: bytes, parts: list[Path], output: Path) -> None:
    """Writes an output, whole or not at all.

    Args:
        head: its first bytes.
        parts: files whose bytes follow.
        output: packed as its ending says.
    """
    output.parent.mkdir(parents=True, exist_ok=True)
    # Not in the work folder: an output's folder may be a mount of its own.
    draft = output.with_name(f".{output.name}.half")
    try:
        with _OPEN.get(output.suffix.lower(), open)(draft, "wb") as whole:
            whole.write(head)
            for part in parts:
                with part.open("rb") as stream:
                    shutil.copyfileobj(stream, whole, 1 << 20)
        os.replace(draft, output)
    finally:
        draft.unlink(missing_ok=True)


def _ending(file: Path) -> str:
    """``.csv``, or ``.csv.gz``."""
    return "".join(file.suffixes[-2:]) if file.suffix.lower() in _OPEN else file.suffix
