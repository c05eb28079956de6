"""``rawbert compile``: a recipe as a pipeline for a cluster."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from trainer.errors import BadInput

if TYPE_CHECKING:
    from pipeline.check import Inputs
    from pipeline.recipe import Recipe
    from pipeline.runners.pipeline_spec import Spec, Target

_SUFFIXES = (".yaml", ".yml", ".json")
_VERTEX_ONLY = (
    "project",
    "region",
    "train_on",
    "train_workers",
    "endpoint",
    "serve_on",
    "serving_image",
)


@click.command()
@click.argument("recipe", type=click.Path(path_type=Path))
@click.option("--runner", type=click.Choice(["kubeflow", "vertex"]), required=True)
@click.option("--image", help="The image of every step, which holds this project.")
@click.option("--set", "overrides", multiple=True, metavar="KEY=VALUE", help="train.epochs=1")
@click.option(
    "--map",
    "pairs",
    multiple=True,
    metavar="HERE=THERE",
    help="Where containers find a local file or folder: data=/data, data=gs://bucket/data.",
)
@click.option("--output", type=click.Path(path_type=Path), help="[default: NAME.yaml]")
@click.option("--pipeline-root", metavar="URL", help="Where artifacts go: gs://bucket/runs.")
@click.option("--push-to", metavar="URL", help="[default: PIPELINE_ROOT/serving/NAME, on gs://]")
@click.option("--cpu", multiple=True, metavar="[COMPONENT=]CORES", help="2, Trainer=8")
@click.option("--memory", multiple=True, metavar="[COMPONENT=]BYTES", help="4G, Trainer=16G")
@click.option(
    "--accelerator", metavar="TYPE[:COUNT]", help="The Trainer's: nvidia.com/gpu, NVIDIA_TESLA_T4."
)
@click.option("--cache/--no-cache", default=True, show_default=True, help="Skip unchanged steps.")
@click.option("--beam-arg", multiple=True, metavar="ARG", help="For every Beam component.")
@click.option("--project", help="Vertex: the Google Cloud project.")
@click.option("--region", help="Vertex: europe-west4.")
@click.option("--train-on", metavar="MACHINE", help="Vertex: a custom job on n1-standard-8.")
@click.option("--train-workers", type=click.IntRange(1), help="Vertex: so many of them.  [1]")
@click.option("--endpoint", metavar="NAME", help="Vertex: deploy there in place of a folder.")
@click.option("--serve-on", metavar="MACHINE", help="Vertex: the endpoint's.  [n1-standard-2]")
@click.option("--serving-image", metavar="IMAGE", help="Vertex: what answers at the endpoint.")
def compile(recipe: Path, runner: str, overrides: tuple[str, ...], **options: Any) -> None:
    """Compile the pipeline of RECIPE for Kubeflow Pipelines v2 or Vertex AI.

    The recipe is checked against the data here, as `rawbert run` does. Local paths have to be
    mapped to where the containers find the same files; sources such as pypi:… are fetched there.
    A run of the pipeline may set data_path, data_version, epochs and push_destination.
    """
    _check_options(runner, options)
    _require_compiler()
    from pipeline import recipe as recipes
    from pipeline.check import check
    from pipeline.runners import places, resources

    typed, document = recipes.load(recipe, overrides)
    there = places.Places(options["pairs"])
    allotted = resources.parse(options["cpu"], options["memory"], options["accelerator"])
    click.echo(f"recipe   {recipe}: checking data and encoder")
    moved, inputs = places.moved(typed, check(typed, document), document, there)
    click.echo(f"compile  {inputs.survey.kept:,} texts here; loading TFX")
    from serving.quiet import quiet_tensorflow

    quiet_tensorflow()
    from pipeline.runners.pipeline_spec import Target, check_with_kfp

    target = Target(
        image=options["image"],
        push_to=options["push_to"] or _default_push(options["pipeline_root"], typed.model_name),
        pipeline_root=options["pipeline_root"],
        resources=allotted,
        cache=options["cache"],
        beam_args=options["beam_arg"],
    )
    spec = _compiled(runner, moved, inputs, target, options)
    file = options["output"] or Path(f"{typed.name}.yaml")
    text = _text(spec, file.suffix)
    kfp = check_with_kfp(text)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
    _say(spec, file, target, runner, kfp)


def _check_options(runner: str, options: dict[str, Any]) -> None:
    if not options["image"]:
        fix = "Write --image REGISTRY/NAME:TAG, built from rawbert's Dockerfile: docker build -t …"
        raise BadInput("the steps have no image.", where="--image", fix=fix)
    given = [name for name in _VERTEX_ONLY if options[name]]
    if runner == "kubeflow" and given:
        raise BadInput("it is for --runner vertex.", where=_flag(given[0]))
    root, push_to, file = options["pipeline_root"] or "", options["push_to"], options["output"]
    if root and "://" not in root:
        raise BadInput(f"{root} is no URL.", where="--pipeline-root", fix="Write gs://bucket/runs.")
    if push_to and not push_to.startswith(("gs://", "/")):
        fix = "Write gs://bucket/models/NAME, or an absolute path on a volume."
        raise BadInput(f"no step could write to {push_to}.", where="--push-to", fix=fix)
    if file and file.suffix not in _SUFFIXES:
        fix = f"Name a file that ends in {' or '.join(_SUFFIXES)}."
        raise BadInput(f"kfp would not read {file}.", where="--output", fix=fix)
    if runner == "vertex":
        _check_vertex(options, root)


def _check_vertex(options: dict[str, Any], root: str) -> None:
    if not root.startswith("gs://"):
        fix = "Vertex AI keeps artifacts in a bucket: write gs://bucket/runs."
        raise BadInput("no bucket.", where="--pipeline-root", fix=fix)
    needed = {
        "train_on": ("project", "region"),
        "train_workers": ("train_on",),
        "endpoint": ("project", "region", "serving_image"),
        "serve_on": ("endpoint",),
        "serving_image": ("endpoint",),
    }
    for name, others in needed.items():
        for other in others:
            if options[name] and not options[other]:
                raise BadInput(f"it needs {_flag(other)}.", where=_flag(name))
    if options["endpoint"] and options["push_to"]:
        fix = "Name one of them: a model goes to the endpoint or to the folder."
        raise BadInput("it excludes --push-to.", where="--endpoint", fix=fix)


def _flag(name: str) -> str:
    return "--" + name.replace("_", "-")


def _require_compiler() -> None:
    try:
        from kfp.pipeline_spec import pipeline_spec_pb2  # noqa: F401
    except ImportError as error:
        raise click.ClickException(
            "Kubeflow's pipeline spec is not installed: pip install 'rawbert[kubeflow]', or compile"
            " where it is (stack TFX 1.16, Python 3.10); the steps run in the image either way."
        ) from error


def _default_push(root: str | None, name: str) -> str | None:
    # The Pusher opens its destination itself, and TFX reaches no other store.
    return f"{root.rstrip('/')}/serving/{name}" if root and root.startswith("gs://") else None


def _compiled(
    runner: str, recipe: "Recipe", inputs: "Inputs", target: "Target", options: dict[str, Any]
) -> "Spec":
    if runner == "kubeflow":
        from pipeline.runners import kubeflow

        return kubeflow.compile(recipe, inputs, target)
    from pipeline.runners import vertex

    services = {name: options[name] for name in _VERTEX_ONLY if options[name]}
    return vertex.compile(recipe, inputs, target, vertex.Services(**services))


def _text(spec: "Spec", suffix: str) -> str:
    import yaml

    if suffix == ".json":
        return json.dumps(spec, indent=1, sort_keys=True) + "\n"
    return yaml.safe_dump(spec, sort_keys=True, allow_unicode=True)


def _say(spec: "Spec", file: Path, target: "Target", runner: str, kfp: str | None) -> None:
    tasks = spec["root"]["dag"]["tasks"]
    checked = f"loaded by kfp {kfp}" if kfp else "kfp is not installed: not loaded by it"
    click.echo(f"written  {file}: {len(tasks)} steps on {target.image}; {checked}")
    click.echo("parameters of a run:")
    for name, declared in sorted(spec["root"]["inputDefinitions"]["parameters"].items()):
        click.echo(f"  {name} = {declared.get('defaultValue', '(has to be given)')}")
    click.echo("next:")
    click.echo(f"  docker build -t {target.image} . && docker push {target.image}")
    if runner == "kubeflow":
        name = spec["pipelineInfo"]["name"]
        click.echo(f"  kfp run create -e {name} -f {file} epochs=3")
    else:
        click.echo(
            '  python -c "from google.cloud import aiplatform as a;'
            f" a.PipelineJob('{spec['pipelineInfo']['name']}', '{file}').submit()\""
        )
        click.echo("Not tried on Vertex AI: no Google Cloud was at hand.")
