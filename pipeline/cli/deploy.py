"""`rawbert deploy`: a pushed model as an image, a Compose file and Kubernetes manifests."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pipeline import run_folder
from pipeline.cli.fault import fail

if TYPE_CHECKING:
    from serving.deploy.deployment import Deployment


@click.command()
@click.argument("path", metavar="MODEL_OR_RUN", type=click.Path(path_type=Path))
@click.option("--to", "folder", required=True, type=click.Path(path_type=Path), help="A folder.")
@click.option("--name", help="The model's name for clients.  [default: the base folder's name]")
@click.option("--image", help="What the built image is called.  [default: NAME:VERSION]")
@click.option(
    "--tf-serving",
    metavar="RELEASE",
    help="2.12, or a patch release.  [default: the one that the run checked the model for]",
)
@click.option("--cores", type=click.IntRange(1), default=2, show_default=True, help="A replica's.")
@click.option(
    "--batching",
    metavar="FILE.json",
    type=click.Path(path_type=Path),
    help="BatchingParameters that a benchmark measured.  [default: see the folder's README]",
)
@click.option("--force", is_flag=True, help="Write over files of others in FOLDER; delete none.")
def deploy(
    path: Path,
    folder: Path,
    name: str | None,
    image: str | None,
    tf_serving: str | None,
    cores: int,
    batching: Path | None,
    force: bool,
) -> None:
    """Write what takes a pushed model to production.

    MODEL_OR_RUN is a base path with numbered versions (the newest is taken), one version of it, or
    the folder of a run. FOLDER gets Dockerfile, compose.yaml, kubernetes/, the configuration of
    TensorFlow Serving, a README and a copy of the model.
    """
    from serving.deploy import deployment
    from serving.deploy import folder as folders
    from serving.deploy.refusal import CannotDeploy
    from serving.errors import NotAModel

    try:
        path = pushed_model(path)
        release = tf_serving or _release_of(path)
        planned = deployment.plan(path, release, name, image, cores, batching)
        written = folders.write(planned, folder, force)
    except (NotAModel, CannotDeploy) as error:
        fail(str(error), 2)
    except OSError as error:
        fail(str(error), 1)
    _say(planned, folder, written)


def pushed_model(path: Path) -> Path:
    """The base path of the only model of a run; any other path as it is."""
    served = [base for base in sorted(run_folder.served(path).glob("*")) if base.is_dir()]
    return served[0] if len(served) == 1 else path


def _release_of(path: Path) -> str:
    """The TensorFlow Serving release that the model was checked for.

    What the card says comes first; else the newest blessing among the artifacts of the model's run.
    """
    from serving.deploy import saved_model
    from serving.deploy.refusal import CannotDeploy

    model = saved_model.read(path)
    release = model.card.get("tf_serving") or _blessed_for(model.path)
    if not release:
        raise CannotDeploy(
            f"{model.path} does not say which TensorFlow Serving it was checked for",
            "Say it with --tf-serving 2.12.",
        )
    return str(release)


def _blessed_for(version: Path) -> str | None:
    """Of RUN/serving/NAME/VERSION, what RUN's ServingValidator blessed it for, if that is there."""
    if len(version.parents) < 3:
        return None
    artifacts = run_folder.artifacts(run_folder.of_version(version))
    reports = artifacts.glob("ServingValidator/blessing/*/report.json")
    for file in sorted(reports, key=lambda one: one.stat().st_mtime, reverse=True):
        try:
            report = json.loads(file.read_text(encoding="utf-8"))
        except ValueError:
            continue  # of a run that was cut off
        if report.get("blessed"):
            return report.get("tf_serving")
    return None


def _say(planned: "Deployment", folder: Path, written: list[str]) -> None:
    model = planned.model
    click.echo(f"model    {planned.name}, version {model.version}: {model.path}")
    click.echo(f"image    {planned.image}, on {planned.base_image}")
    batching = planned.batching
    splitting = "on" if batching.enable_large_batch_splitting else "off"
    click.echo(
        f"batching at most {batching.max_batch_size} rows, {batching.batch_timeout_micros} µs, "
        f"{batching.max_enqueued_batches} waiting, splitting {splitting}"
        + (f" ({model.varying[0]} varies in width)" if model.varying else "")
    )
    click.echo(f"written  {folder}: {', '.join(written)}, {planned.model_folder}/")
    click.echo(f"next     docker build -t {planned.image} {folder}")
    click.echo(f"         kubectl apply -f {folder}/kubernetes/")
