"""What the model was made of: data, encoder, code, versions."""

import platform
import subprocess
from importlib import metadata
from pathlib import Path

import trainer
from pipeline import card, recipe
from pipeline.code_digest import code_digest
from pipeline.page.blocks import Block, Commands, Facts, Section, Table
from pipeline.report.run import Run

_PACKAGES = (
    "rawbert", "tfx", "tensorflow", "tensorflow-text", "keras", "tensorflow-transform",
    "tensorflow-data-validation", "tensorflow-model-analysis", "apache-beam", "ml-metadata",
)  # fmt: skip

_ROOMS = ("trainer", "components", "pipeline", "serving")


def section(run: Run) -> Section:
    """Digests of data and encoder, commits, versions, and the recipe as it was run."""
    told = card.told(run.recipe, run.inputs)
    facts = [
        ("data", told.data),
        ("digest of the data", f"BLAKE2b {told.data_digest}"),
        ("licence of the data", told.data_licence),
        ("encoder", told.encoder),
        ("digest of the encoder", f"SHA-256 {encoder_digest(run) or 'not laid out'}"),
        ("licence of the encoder", told.encoder_licence),
        ("code of rawbert", commit(Path(trainer.__file__).parents[1], *_ROOMS)),
        ("digest of the trainer's code", code_digest()),
        ("recipe's folder", commit(run.path.absolute().parent)),
        ("Python", f"{platform.python_version()} on {platform.platform(terse=True)}"),
    ]
    blocks: list[Block] = [
        Facts(facts),
        Table(["package", "version"], [[name, _version(name)] for name in _PACKAGES], texts=2),
        Commands([f"# {run.path}, every default written out", recipe.show(run.recipe)]),
    ]
    return Section("Lineage", blocks)


def encoder_digest(run: Run) -> str:
    """SHA-256 of the encoder's files as EncoderImporter laid them out."""
    imported = run.components.get("EncoderImporter")
    models = imported.outputs.get("model", []) if imported else []
    return models[0].properties.get("sha256", "") if models else ""


def commit(folder: Path, *parts: str) -> str:
    """The commit that a folder is checked out at, if it is and git is there.

    Args:
        parts: whose changes count; the whole folder's if none are named.
    """
    try:
        head = _git(folder, "rev-parse", "HEAD")
        changed = _git(folder, "status", "--porcelain", "--", *(parts or ["."]))
    except (OSError, subprocess.SubprocessError):
        return "no git checkout"
    return f"commit {head}{', with changes that are not committed' if changed else ''}"


def _git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        ["git", "-C", str(folder), *arguments],
        capture_output=True, text=True, timeout=5, check=True,
    )  # fmt: skip
    return done.stdout.strip()


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "not installed"
