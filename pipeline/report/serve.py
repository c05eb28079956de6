"""How to serve and ask the pushed model."""

import json
import os
import shlex
from pathlib import Path

from pipeline.page.blocks import Commands, Section, Text
from pipeline.recipe import Recipe
from serving.deploy import images
from serving.deploy.refusal import CannotDeploy


def section(recipe: Recipe, version: Path, folder: Path) -> Section:
    """Commands, as they are given in the folder that the run was started in.

    Args:
        version: the pushed version's folder.
        folder: the run's.
    """
    base, run, name = _here(version.parent), _here(folder), shlex.quote(recipe.model_name)
    text = "Any text at all."
    body = shlex.quote(json.dumps({"instances": [text]}))
    try:
        image = images.image(images.release_of(recipe.serve.tf_serving))
    except CannotDeploy:
        image = f"tensorflow/serving:{recipe.serve.tf_serving}"
    return Section(
        "How to serve",
        [
            Text("On this machine:"),
            Commands(
                [
                    f"rawbert serve {base}",
                    f'rawbert predict "{text}"',
                    f"curl -d {body} http://127.0.0.1:8501/v1/models/{name}:predict",
                ]
            ),
            Text(f"In TensorFlow Serving {recipe.serve.tf_serving}, which it was checked for:"),
            Commands(
                [
                    "docker run -p 8500:8500 -p 8501:8501 \\",
                    f'  -v "$PWD"/{base}:/models/{name}:ro -e MODEL_NAME={name} {image}',
                ]
                if not base.startswith(("/", "'/"))
                else [
                    "docker run -p 8500:8500 -p 8501:8501 \\",
                    f"  -v {base}:/models/{name}:ro -e MODEL_NAME={name} {image}",
                ]
            ),
            Text("To production, with readiness, batching and monitoring:"),
            Commands([f"rawbert deploy {run} --to deploy/{name}"]),
        ],
    )


def _here(path: Path) -> str:
    relative = os.path.relpath(path)
    return shlex.quote(str(path) if relative.startswith("..") else relative)
