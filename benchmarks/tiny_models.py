"""The tests' tiny model, in two versions whose scores differ."""

import subprocess
import sys
from pathlib import Path

_PROGRAM = Path(__file__).parents[1] / "tests" / "serving" / "tiny_model.py"


def export(folder: Path) -> Path:
    """Writes versions 1 and 2 into a folder, once; returns it."""
    if not (folder / "2" / "saved_model.pb").exists():
        subprocess.run([sys.executable, str(_PROGRAM), str(folder), "1:0", "2:3"], check=True)
    return folder
