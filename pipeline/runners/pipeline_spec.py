"""A pipeline's graph as the spec that Kubeflow Pipelines v2 and Vertex AI read.

TFX's compiler writes the steps. Added here is what it leaves out: defaults of the parameters, the
pipeline root, and steps that are never to be taken from a cache.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from google.protobuf import json_format
from kfp.pipeline_spec import pipeline_spec_pb2
from tfx.dsl.components.base import base_component
from tfx.orchestration.data_types import RuntimeParameter
from tfx.orchestration.kubeflow.v2 import kubeflow_v2_dag_runner as standard
from tfx.orchestration.pipeline import Pipeline

from components.latest_pushed import LatestPushed
from components.pusher import Pusher
from components.text_example_gen import TextExampleGen
from components.trainer import Trainer
from pipeline import graph
from pipeline.check import Inputs
from pipeline.recipe import Recipe
from pipeline.runners import container
from pipeline.runners.resources import ALL, Resources
from trainer.errors import BadInput

Spec = dict[str, Any]  # a PipelineSpec as JSON
Parameters = dict[str, RuntimeParameter]
_NEVER_CACHED = {LatestPushed.__name__}  # a folder's content is no part of a cache's key


@dataclass(frozen=True)
class Target:
    """Where and how the steps run.

    Attributes:
        image: of every step; holds this project.
        push_to: default of the push destination, a folder; None: each run has to say it.
        pipeline_root: where artifacts go; None: where the cluster's own default is.
        resources: by component id; `ALL` for every component.
        cache: whether a step whose inputs have not changed is skipped.
        beam_args: for all Beam components.
    """

    image: str
    push_to: str | None = None
    pipeline_root: str | None = None
    resources: Mapping[str, Resources] = field(default_factory=dict)
    cache: bool = True
    beam_args: tuple[str, ...] = ()


def parameters(inputs: Inputs, recipe: Recipe, push_to: str | None) -> Parameters:
    """What a run may set anew, by name; the recipe's values are the defaults.

    `data_version` stands for the content at `data_path` in the cache's key.
    """
    path = json.loads(inputs.data)["path"]
    destination = json.dumps({"filesystem": {"base_directory": push_to}}) if push_to else None
    defaults: dict[str, str | int | None] = {
        "data_path": path if isinstance(path, str) else json.dumps(path),
        "data_version": inputs.data_fingerprint,
        "epochs": recipe.train.epochs,
        "push_destination": destination,
    }
    return {
        name: RuntimeParameter(name=name, ptype=int if name == "epochs" else str, default=default)
        for name, default in defaults.items()
    }


Make = Callable[..., base_component.BaseComponent]  # a component of `graph.Parts`


def parts(given: Parameters, **others: Any) -> graph.Parts:
    """The parts of a pipeline whose runs may set its parameters.

    Args:
        given: the parameters.
        others: parts that the runner makes otherwise.
    """
    own: dict[str, Any] = {
        "examples": _with_own(
            TextExampleGen, path=given["data_path"], fingerprint=given["data_version"]
        ),
        "trainer": _with_own(Trainer, epochs=given["epochs"]),
        "pusher": _with_own(Pusher, push_destination=given["push_destination"]),
    }
    return graph.Parts(**(own | others))


def _with_own(component: Make, **own: Any) -> Make:
    """The component with arguments that go before those of the graph."""
    return lambda **arguments: component(**(arguments | own))


def compiled(
    recipe: Recipe, inputs: Inputs, target: Target, parts: graph.Parts, given: Parameters
) -> Spec:
    """The spec of a recipe's pipeline of these parts.

    Args:
        recipe: as the containers see it: `pipeline.runners.places.moved`.
        inputs: likewise.
        target: where the steps run.
        parts: made with `given`.
        given: the parameters of the pipeline that the parts use.

    Raises:
        BadInput: resources for a component that the pipeline has not.
    """
    pipeline = graph.create_pipeline(
        recipe.model_copy(update={"name": legal_name(recipe.name)}),
        inputs,
        pipeline_root=target.pipeline_root or "",
        push_to=target.push_to or "",
        beam_pipeline_args=list(target.beam_args),
        parts=parts,
    )
    pipeline.enable_cache = target.cache
    _allot(pipeline, target.resources)
    config = standard.KubeflowV2DagRunnerConfig(
        default_image=target.image,
        default_commands=list(container.COMMAND),
        use_pipeline_spec_2_1=True,
    )
    job = standard.KubeflowV2DagRunner(config=config).run(pipeline, write_out=False)
    spec = _completed(job["pipelineSpec"], target.pipeline_root, given)
    json_format.ParseDict(spec, pipeline_spec_pb2.PipelineSpec())
    return spec


def check_with_kfp(text: str) -> str | None:
    """Loads a written spec with kfp itself.

    Returns:
        kfp's version; None where only its pipeline spec is installed.

    Raises:
        ValueError, TypeError: what kfp has against it.
    """
    try:
        import kfp
        from kfp import components
    except ImportError:
        return None
    components.load_component_from_text(text)
    return kfp.__version__


def legal_name(name: str) -> str:
    """A recipe's name as the name of a pipeline: lower case, hyphens.

    >>> legal_name("_SMS_spam")
    'sms-spam'
    """
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or "pipeline"


def _allot(pipeline: Pipeline, resources: Mapping[str, Resources]) -> None:
    steps = {
        one.id: one for one in pipeline.components if isinstance(one, base_component.BaseComponent)
    }
    for name in resources:
        if name not in (ALL, *steps):
            raise BadInput(
                f"the pipeline has no component {name!r}",
                where="--cpu, --memory",
                fix=f"It has {', '.join(sorted(steps))}.",
            )
    for name, step in steps.items():
        wanted = resources.get(name, resources.get(ALL))
        if wanted:
            step.with_platform_config(_resource_spec(wanted))


def _resource_spec(wanted: Resources) -> Any:
    message = pipeline_spec_pb2.PipelineDeploymentConfig.PipelineContainerSpec.ResourceSpec
    spec = message(cpu_limit=wanted.cpu, memory_limit=wanted.memory)
    if wanted.accelerator:
        spec.accelerator.type, spec.accelerator.count = wanted.accelerator, wanted.accelerators
    return spec


def _completed(spec: Spec, pipeline_root: str | None, given: Parameters) -> Spec:
    declared = spec["root"]["inputDefinitions"]["parameters"]
    for name, parameter in given.items():
        if name in declared and parameter.default is not None:
            declared[name]["defaultValue"] = parameter.default
    if pipeline_root:
        spec["defaultPipelineRoot"] = pipeline_root
    for name, task in spec["root"]["dag"]["tasks"].items():
        if name in _NEVER_CACHED:
            task.pop("cachingOptions", None)
    return spec
