"""The rooms of a run's folder, `out/NAME`: who writes there and who looks there ask here."""

import time
from pathlib import Path


def artifacts(run: Path) -> Path:
    """TFX's artifacts, a folder a component."""
    return run / "artifacts"


def metadata(run: Path) -> Path:
    """ML Metadata's SQLite file."""
    return run / "metadata.sqlite"


def served(run: Path) -> Path:
    """The pushed models, a base path each by name, with versions in it."""
    return run / "serving"


def of_version(version: Path) -> Path:
    """The run's folder that a pushed version lies in: the way back."""
    return version.parents[2]


def report(run: Path) -> Path:
    """The page on its latest run."""
    return run / "report.html"


def new_log(run: Path) -> Path:
    """Where what libraries say from now on goes."""
    return run / "logs" / time.strftime("%Y%m%d-%H%M%S.log")
