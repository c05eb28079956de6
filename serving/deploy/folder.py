"""Writes a deployment's folder; never deletes, never overwrites what somebody else wrote.

`.rawbert-deploy.json` lists what was written with its SHA-256. Writing again replaces those files
as long as they are as they were; anything else in the folder is somebody's, and is refused.
"""

import filecmp
import hashlib
import json
import os
import shutil
from pathlib import Path

from serving.deploy import configs, docker, kubernetes, readme
from serving.deploy.deployment import Deployment
from serving.deploy.refusal import CannotDeploy

RECORD = ".rawbert-deploy.json"
_PARTIAL = ".partial"
_FORCE = "Choose another folder, or write over it with --force (nothing is deleted)."


def texts(deployment: Deployment) -> dict[str, str]:
    """Every file but the model's, by its path in the folder."""
    manifests = kubernetes.files(deployment)
    return {
        "Dockerfile": docker.dockerfile(deployment),
        ".dockerignore": docker.dockerignore(deployment),
        docker.COMPOSE: docker.compose(deployment),
        configs.MODELS: configs.models(deployment.name),
        configs.BATCHING: deployment.batching.text(),
        configs.MONITORING: configs.monitoring(),
        "README.md": readme.text(deployment),
        **{f"{kubernetes.FOLDER}/{name}": text for name, text in manifests.items()},
    }


def write(deployment: Deployment, folder: Path, force: bool = False) -> list[str]:
    """Writes all files, the model's last; returns their paths in the folder, models left out.

    Raises:
        CannotDeploy: the folder is a file or the model's own, or holds what we did not write.
        OSError: the disk is full, or the folder cannot be written.
    """
    _refuse_model_folder(deployment, folder)
    found = texts(deployment)
    written = _record(folder)
    if not force:
        _refuse_strangers(folder, written, found)
        _refuse_other_model(deployment.model.path, folder / deployment.model_folder)
    for name, text in found.items():
        _replace(folder / name, text)
        written[name] = _digest(text.encode())
    _replace(folder / RECORD, json.dumps(written, indent=1, sort_keys=True) + "\n")
    _copy_model(deployment.model.path, folder / deployment.model_folder)
    return sorted(found)


def _refuse_model_folder(deployment: Deployment, folder: Path) -> None:
    if folder.exists() and not folder.is_dir():
        raise CannotDeploy(f"{folder} is a file", "Name a folder with --to.")
    base = deployment.model.path.resolve().parent
    if folder.resolve() == base or base in folder.resolve().parents:
        raise CannotDeploy(f"{folder} is where the model is", "Name another folder with --to.")


def _record(folder: Path) -> dict[str, str]:
    try:
        return dict(json.loads((folder / RECORD).read_text(encoding="utf-8")))
    except FileNotFoundError:
        return {}
    except (ValueError, TypeError) as error:
        raise CannotDeploy(f"{folder / RECORD} cannot be read ({error})", _FORCE) from error


def _refuse_strangers(folder: Path, written: dict[str, str], found: dict[str, str]) -> None:
    """Files that are not ours, and files of ours that somebody changed.

    One that is what would be written now is ours: a write that was cut off left no record.
    """
    models = Path("models")
    for path in sorted(folder.rglob("*")) if folder.is_dir() else ():
        name = path.relative_to(folder)
        if path.is_dir() or name == Path(RECORD) or (written and models in name.parents):
            continue
        content = path.read_bytes()
        if content == found.get(name.as_posix(), "").encode():
            continue
        if name.as_posix() not in written:
            raise CannotDeploy(f"{folder} has files of somebody else's: {name}", _FORCE)
        if _digest(content) != written[name.as_posix()]:
            raise CannotDeploy(f"{path} was changed since it was written", _FORCE)


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _replace(path: Path, text: str) -> None:
    """Writes a file whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{path.name}{_PARTIAL}")
    partial.write_text(text, encoding="utf-8")
    os.replace(partial, path)


def _refuse_other_model(model: Path, target: Path) -> None:
    """A version's number says one model for ever: servers do not look at it twice."""
    if target.exists() and not _same(model, target):
        fix = "Push the model under a new number, or name another folder with --to."
        raise CannotDeploy(f"{target} is another model of the same version", fix)


def _same(one: Path, other: Path) -> bool:
    names = [sorted(p.relative_to(top) for p in top.rglob("*")) for top in (one, other)]
    files = [name for name in names[0] if (one / name).is_file()]
    return names[0] == names[1] and not any(filecmp.cmpfiles(one, other, files, shallow=False)[1:])


def _copy_model(model: Path, target: Path) -> None:
    """Copies beside, then renames: whoever watches the folder sees the version whole.

    Everybody may read the copy, as the container's user must. Only --force comes to a version that
    is there and another one: it is written over in place.
    """
    partial = target.with_name(f".{target.name}{_PARTIAL}")
    copy = target if target.exists() else partial
    if copy == target and _same(model, target):
        return
    shutil.copytree(model, copy, copy_function=shutil.copyfile, dirs_exist_ok=True)
    for path in [copy, *copy.rglob("*")]:
        path.chmod(0o755 if path.is_dir() else 0o644)
    if copy == partial:
        os.replace(partial, target)
