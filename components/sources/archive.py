"""The members of a wheel or an sdist, under the same names whichever it is."""

import difflib
import shutil
import tarfile
import tempfile
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath
from typing import IO

from trainer.errors import BadInput


class Archive:
    """A wheel (.whl), or an sdist (.tar.gz, .zip) without its top folder `NAME-VERSION/`.

    Raises:
        BadInput: the file is of no known format or cut short.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self.sizes = dict(_tar_sizes(path) if _is_tar(path) else _zip_sizes(path))
        except (tarfile.TarError, zipfile.BadZipFile, EOFError, OSError) as error:
            raise BadInput(
                f"it is no readable archive ({error}).",
                where=str(path),
                fix="Delete it and run again; wheels, .tar.gz and .zip are read.",
            ) from error
        self.prefix = _common_top(self.sizes) if not path.name.endswith(".whl") else ""

    def names(self) -> list[str]:
        """The files' names, sorted."""
        return sorted(name.removeprefix(self.prefix) for name in self.sizes)

    def size(self, name: str) -> int:
        """A member's size in bytes."""
        return self.sizes[self.prefix + name]

    def extract(self, wanted: dict[str, Path]) -> None:
        """Writes members to the paths given for them, in one pass over the archive."""
        wanted = {self.prefix + name: target for name, target in wanted.items()}
        if _is_tar(self.path):
            with tarfile.open(self.path) as tar:
                for member in tar:
                    if member.name in wanted and member.isfile():
                        _write(tar.extractfile(member), wanted[member.name])
        else:
            with zipfile.ZipFile(self.path) as pack:
                for name, target in wanted.items():
                    _write(pack.open(name), target)

    def text(self, name: str) -> str:
        """A small member as text."""
        with tempfile.TemporaryDirectory() as folder:
            target = Path(folder) / "member"
            self.extract({name: target})
            return target.read_text(encoding="utf-8", errors="replace")

    def nearest(self, name: str, count: int = 3) -> list[str]:
        """The members that `name` may have meant, by path or by file name alone."""
        names = self.names()
        path = PurePosixPath(name)
        same = [n for n in names if PurePosixPath(n).name == path.name]
        alike = [n for n in names if path.stem in PurePosixPath(n).name]
        close = difflib.get_close_matches(name, names, count, 0.4)
        return list(dict.fromkeys(same + alike + close))[:count]

    def biggest(self, count: int = 5) -> list[str]:
        """The members most likely to be data or weights."""
        return sorted(self.names(), key=self.size, reverse=True)[:count]


def _write(source: IO[bytes] | None, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if source is not None:
        with source, target.open("wb") as file:
            shutil.copyfileobj(source, file, 1 << 20)


def _is_tar(path: Path) -> bool:
    return path.name.endswith((".tar.gz", ".tgz", ".tar"))


def _tar_sizes(path: Path) -> Iterator[tuple[str, int]]:
    with tarfile.open(path) as tar:
        yield from ((member.name, member.size) for member in tar if member.isfile())


def _zip_sizes(path: Path) -> Iterator[tuple[str, int]]:
    with zipfile.ZipFile(path) as pack:
        yield from (
            (info.filename, info.file_size) for info in pack.infolist() if not info.is_dir()
        )


def _common_top(names: Iterable[str]) -> str:
    tops = {name.partition("/")[0] for name in names}
    return f"{tops.pop()}/" if len(tops) == 1 else ""
