"""The sources that have a short name, with the hash that their file must have."""

import functools
from dataclasses import dataclass
from pathlib import Path

import yaml

_FILE = Path(__file__).with_name("catalogue.yaml")


@dataclass(frozen=True)
class Entry:
    """One short name. `kind` is encoder or data; `recipe` what a recipe says beside the path."""

    source: str
    kind: str
    file: str
    sha256: str
    licence: str
    description: str
    recipe: str = ""


@functools.cache
def entries() -> dict[str, Entry]:
    """The whole catalogue by short name."""
    listed = yaml.safe_load(_FILE.read_text(encoding="utf-8"))
    return {name: Entry(**said) for name, said in listed.items()}


def release(package: str, version: str) -> Entry | None:
    """The entry that pins this release's file, whichever member it names."""
    wanted = f"pypi:{package}=={version}"
    return next((e for e in entries().values() if f"{e.source}/".startswith(f"{wanted}/")), None)


def entry_of(source: str) -> Entry | None:
    """The entry of a short name or of the very same source."""
    found = entries()
    return found.get(source) or next((e for e in found.values() if e.source == source), None)
