"""Makes `table.json.gz` from the wheels: `python -m serving.ops.generate --work FOLDER`.

For each TensorFlow Serving release it installs the TensorFlow that the release is built on, and
the TF Text that it links, into a throwaway environment, runs `dump.py` there and deletes the
environment again. TensorFlow Serving names both in its `tensorflow_serving/workspace.bzl` and
`tensorflow_serving/repo.bzl`. Needs an interpreter that all these wheels support (Python 3.10),
about 2 GB of disk at a time and some 600 MB of downloads a release.
"""

import argparse
import gzip
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from serving.ops.table import TABLE_PATH, Definition

# TensorFlow Serving ▶ the wheels that hold the ops it links.
RELEASES = {
    "2.12": ("2.12.1", "2.12.1"),
    "2.13": ("2.13.1", "2.12.1"),
    "2.14": ("2.14.1", "2.12.1"),
    "2.15": ("2.15.1", "2.12.1"),
    "2.16": ("2.16.2", "2.12.1"),
    "2.17": ("2.17.1", "2.12.1"),
    "2.18": ("2.18.1", "2.12.1"),
    "2.19": ("2.19.1", "2.12.1"),
    "2.20": ("2.20.0", "2.20.0"),
    "2.21": ("2.21.0", "2.20.0"),
}

Dump = dict[str, dict[str, Definition]]


def build_environment(folder: Path, core: str, text: str) -> Path:
    """A fresh environment with that TensorFlow; TF Text's files beside it, without its needs.

    TF Text's op libraries are linked against one TensorFlow minor release, so they come in only
    where both agree.
    """
    subprocess.run([sys.executable, "-m", "venv", "--clear", folder], check=True)
    python = folder / "bin" / "python"
    pip = [str(python), "-m", "pip", "install", "--quiet", "--no-cache-dir"]
    subprocess.run([*pip, f"tensorflow-cpu=={core}"], check=True)
    if minor(core) == minor(text):
        subprocess.run([*pip, "--no-deps", f"tensorflow-text=={text}"], check=True)
    return python


def minor(version: str) -> str:
    """`"2.12.1"` ▶ `"2.12"`."""
    return ".".join(version.split(".")[:2])


def dump_release(release: str, work: Path) -> Dump:
    """The dump of one release, kept in `work` so that a broken run continues."""
    output = work / f"{release}.json"
    if not output.exists():
        environment = work / f"environment-{release}"
        python = build_environment(environment, *RELEASES[release])
        part = output.with_suffix(".part")
        script = Path(__file__).with_name("dump.py")
        subprocess.run([python, script, part.resolve()], check=True, cwd=work)
        part.rename(output)
        shutil.rmtree(environment)
    return json.loads(output.read_text(encoding="utf-8"))


def linked_ops(release: str, dumps: dict[str, Dump]) -> dict[str, Definition]:
    """All ops of a TensorFlow Serving release: its core's, and those of the TF Text it links."""
    return {**dumps[release]["core"], **dumps[minor(RELEASES[release][1])]["text"]}


def history(dumps: dict[str, Dump]) -> dict[str, list[list[Any]]]:
    """Op ▶ `[[release, definition], …]`, an entry where it appears, changes or goes (null)."""
    ops: dict[str, list[list[Any]]] = {}
    for release in RELEASES:
        known = linked_ops(release, dumps)
        for name in sorted({*known, *ops}):
            entries = ops.setdefault(name, [])
            last = entries[-1][1] if entries else None
            if known.get(name) != last:
                entries.append([release, known.get(name)])
    return ops


def write_table(dumps: dict[str, Dump], path: Path) -> None:
    """Writes the table; the same dumps give the same bytes."""
    table = {
        "releases": {r: {"tensorflow": c, "tensorflow_text": t} for r, (c, t) in RELEASES.items()},
        "ops": history(dumps),
    }
    data = json.dumps(table, sort_keys=True, separators=(",", ":")).encode()
    path.write_bytes(gzip.compress(data, compresslevel=9, mtime=0))


def main() -> None:
    """Dumps every release and writes the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, required=True, help="folder for downloads and dumps")
    parser.add_argument("--table", type=Path, default=TABLE_PATH)
    arguments = parser.parse_args()
    arguments.work.mkdir(parents=True, exist_ok=True)
    dumps = {release: dump_release(release, arguments.work) for release in RELEASES}
    write_table(dumps, arguments.table)
    print(f"{arguments.table}: {arguments.table.stat().st_size:,} bytes, {len(RELEASES)} releases")


if __name__ == "__main__":
    main()
