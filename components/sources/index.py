"""Finds a release's files through a package index's simple API.

JSON as PEP 691 has it, HTML as PEP 503 has it where an index knows no JSON.
"""

import html.parser
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urldefrag, urljoin, urlsplit

import requests
from packaging.utils import (
    canonicalize_name,
    parse_sdist_filename,
    parse_wheel_filename,
)
from packaging.version import Version

from components.sources.pip_settings import PipSettings, Session
from trainer.errors import BadInput

_ACCEPT = (
    "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html;q=0.2, "
    "text/html;q=0.1"
)


class Unreachable(OSError):
    """A package index or hub that does not answer: the machine's or the network's fault."""


@dataclass(frozen=True)
class ReleaseFile:
    """One file of a release. `sha256` is empty where the index publishes none."""

    name: str
    url: str
    sha256: str = ""
    size: int = 0

    def version(self, package: str) -> Version | None:
        """The version in the file's name; None for another package's file or another format."""
        try:
            if self.name.endswith(".whl"):
                name, version = parse_wheel_filename(self.name)[:2]
            else:
                name, version = parse_sdist_filename(self.name)
        except ValueError:
            return None
        return version if name == canonicalize_name(package) else None


def find_files(package: str, settings: PipSettings, session: Session) -> list[ReleaseFile]:
    """Every file of `package` that the user's find-links folders and indexes offer.

    Raises:
        Unreachable: no index answered.
        BadInput: the indexes answered, and none has the package.
    """
    found = [file for folder in settings.find_links for file in _in_folder(folder)]
    found = [file for file in found if file.version(package) is not None]
    for index in settings.indexes:
        page = _page(index, package, session)
        found += _listed(page) if page is not None else []
    if found:
        return found
    raise BadInput(
        f"no package index of yours has a package called {package}.",
        where=f"pypi:{package}",
        fix="Check the name, or `pip config list` for the index that is asked.",
    )


def choose(files: list[ReleaseFile], package: str, version: Version) -> ReleaseFile:
    """The release's file to read: a wheel for every system, then any wheel, then the sdist.

    Raises:
        BadInput: the version is not there; names the nearest that are.
    """
    versions = {file: file.version(package) for file in files}
    release = [file for file in files if versions[file] == version]
    if release:
        return min(release, key=_preference)
    known = sorted({v for v in versions.values() if v is not None})
    nearest = [str(v) for v in known if v.release[:1] == version.release[:1]] or map(str, known)
    shown = ", ".join(list(nearest)[-8:])
    raise BadInput(
        f"there is no version {version}.",
        where=f"pypi:{package}=={version}",
        fix=f"Use one of {shown}." if known else "It has no wheel and no sdist.",
    )


def _preference(file: ReleaseFile) -> tuple[bool, bool, str]:
    return not file.name.endswith("-none-any.whl"), not file.name.endswith(".whl"), file.name


def _in_folder(folder: str) -> Iterator[ReleaseFile]:
    """Local find-links folders, as on machines without a network."""
    path = Path(unquote(urlsplit(folder).path) if folder.startswith("file:") else folder)
    for file in sorted(path.expanduser().glob("*")) if path.is_dir() else []:
        yield ReleaseFile(file.name, file.absolute().as_uri(), size=file.stat().st_size)


def _page(index: str, package: str, session: Session) -> requests.Response | None:
    """The index's page about the package; None where the index does not know it."""
    url = f"{index.rstrip('/')}/{canonicalize_name(package)}/"
    try:
        answer = session.get(url, headers={"Accept": _ACCEPT})
    except requests.RequestException as error:
        raise Unreachable(
            f"pypi:{package}: the package index {without_password(index)} does not answer "
            f"({type(error).__name__}: {error}). Check network, proxy and certificates: "
            "`pip config list` shows what is used."
        ) from error
    if answer.status_code == 404:
        return None
    if not answer.ok:
        raise Unreachable(
            f"pypi:{package}: the package index {without_password(index)} answers "
            f"{answer.status_code} {answer.reason}. Try later, or check index and credentials: "
            "`pip config list` shows what is used."
        )
    return answer


def _listed(page: requests.Response) -> list[ReleaseFile]:
    if "json" in page.headers.get("content-type", ""):
        return [
            ReleaseFile(
                file["filename"],
                urljoin(page.url, file["url"]),
                file.get("hashes", {}).get("sha256", ""),
                file.get("size") or 0,
            )
            for file in page.json()["files"]
        ]
    links = _Links()
    links.feed(page.text)
    return [_of_link(urljoin(page.url, links.base), href) for href in links.hrefs]


def _of_link(base: str, href: str) -> ReleaseFile:
    """`../files/x-1.0.tar.gz#sha256=…`; other hashes are weaker, and then not used."""
    url, fragment = urldefrag(urljoin(base, href))
    name = unquote(urlsplit(url).path.rpartition("/")[2])
    return ReleaseFile(name, url, fragment[7:] if fragment.startswith("sha256=") else "")


class _Links(html.parser.HTMLParser):
    """The anchors of a PEP 503 page."""

    def __init__(self) -> None:
        super().__init__()
        self.base, self.hrefs = "", list[str]()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keeps `<base href>` and every `<a href>`."""
        href = dict(attrs).get("href")
        if href and tag == "base":
            self.base = href
        elif href and tag == "a":
            self.hrefs.append(href)


def without_password(url: str) -> str:
    """The address for messages: credentials stay out of logs."""
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
