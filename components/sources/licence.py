"""What a source itself says of its licence: the catalogue, a package's metadata, a model's card."""

import re
from email import message_from_string
from pathlib import Path

import yaml

from components import sources
from components.sources import catalogue, pypi

UNKNOWN = "unknown: not told by the source"
_README = "README.md"
_FRONT_MATTER = re.compile(r"\A---\s*\n(.*?)\n---\s*(?:\n|\Z)", re.DOTALL)


def licence_of(source: str, resolved: Path) -> str:
    """The licence in the source's own words, and who says so; or `UNKNOWN`.

    Args:
        source: as in the recipe.
        resolved: the file or folder that it came to.
    """
    scheme, rest = sources.split(source)
    known = catalogue.entry_of(source)
    if known is None and scheme == "pypi":
        known = catalogue.entry_of(f"pypi:{rest}")
    if known is not None:
        return known.licence
    if scheme == "pypi":
        return _of_package(pypi.metadata(rest))
    return _of_card(resolved if resolved.is_dir() else resolved.parent)


def _of_package(metadata: str) -> str:
    """Of a package's core metadata; data in it may have another, hence the note."""
    told = message_from_string(metadata)
    classified = [
        name.rsplit("::", 1)[1].strip()
        for name in told.get_all("Classifier", [])
        if name.startswith("License ::")
    ]
    whole = (told.get("License-Expression") or told.get("License") or "").strip()
    named = ", ".join(classified) if whole in ("", "UNKNOWN") else whole.splitlines()[0]
    return f"{named} (of the package, by its metadata)" if named else UNKNOWN


def _of_card(folder: Path) -> str:
    """Of the front matter of a README.md, as Hugging Face's model and data cards have it."""
    try:
        card = (folder / _README).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return UNKNOWN
    found = _FRONT_MATTER.match(card)
    try:
        front = yaml.safe_load(found[1]) if found else None
    except yaml.YAMLError:
        return UNKNOWN
    named = front.get("license") if isinstance(front, dict) else None
    if isinstance(named, list):
        named = ", ".join(map(str, named))
    return f"{named} (by its {_README})" if named else UNKNOWN
