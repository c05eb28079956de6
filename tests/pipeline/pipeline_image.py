"""What a step's image has: this environment's packages and the project as an installed wheel."""

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

SOURCE = Path(__file__).parents[2]
PACKAGES = ("trainer", "components", "pipeline", "serving")


def environment(folder: Path) -> dict[str, str]:
    """Makes it in a folder, without the checkout; gives the variables of a process in it."""
    installed = _install(_build(folder / "source", folder / "wheel"), folder / "installed")
    subprocess.run(
        [sys.executable, "-m", "venv", "--without-pip", str(folder / "venv")], check=True
    )
    [packages] = (folder / "venv").glob("lib/python*/site-packages")
    # A path added so has no .pth files of its own: this environment's editable project stays out.
    paths = [str(installed), sysconfig.get_paths()["purelib"], sysconfig.get_paths()["platlib"]]
    (packages / "image.pth").write_text("\n".join(paths) + "\n")
    kept = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    return {**kept, "PATH": f"{folder / 'venv' / 'bin'}{os.pathsep}{os.environ['PATH']}"}


def _build(source: Path, wheels: Path) -> Path:
    for package in PACKAGES:
        shutil.copytree(
            SOURCE / package, source / package, ignore=shutil.ignore_patterns("__pycache__")
        )
    for file in ("pyproject.toml", "setup.py", "README.md"):
        shutil.copy(SOURCE / file, source)
    _pip("wheel", "--no-build-isolation", "--wheel-dir", str(wheels), str(source))
    shutil.rmtree(source)
    [wheel] = wheels.iterdir()
    return wheel


def _install(wheel: Path, target: Path) -> Path:
    _pip("install", "--target", str(target), str(wheel))
    return target


def _pip(command: str, *arguments: str) -> None:
    call = [sys.executable, "-m", "pip", command, "--quiet", "--no-deps", "--no-index"]
    subprocess.run([*call, *arguments], check=True)
