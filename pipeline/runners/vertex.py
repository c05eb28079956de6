"""The parts of a pipeline for Vertex AI Pipelines: Trainer and Pusher may be Vertex's own.

The last blessed model is found by Vertex's resolver. Compiled and checked by the clients' own code
only: no Google Cloud was at hand.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tfx.dsl.components.base import base_component
from tfx.v1.extensions import google_cloud_ai_platform as vertex

from components.pusher import Pusher
from components.text_example_gen import TextExampleGen
from components.trainer import Trainer
from components.vertex_trainer import VertexTrainer
from pipeline.check import Inputs
from pipeline.graph import Parts
from pipeline.recipe import Recipe
from pipeline.runners.pipeline_spec import Parameters, Spec, Target, compiled, parameters, with_own
from pipeline.runners.resources import Resources


@dataclass(frozen=True)
class Services:
    """Vertex's own services that take the place of a container step.

    Attributes:
        project: the Google Cloud project.
        region: e.g. ``europe-west4``.
        train_on: a machine type: the Trainer is a custom job on one; None: a step like the others.
        endpoint: its name: the Pusher deploys there; None: it copies to the push destination.
        serve_on: the endpoint's machine type.
        serving_image: what answers at the endpoint.
    """

    project: str | None = None
    region: str | None = None
    train_on: str | None = None
    endpoint: str | None = None
    serve_on: str = "n1-standard-2"
    serving_image: str = ""


def compile(recipe: Recipe, inputs: Inputs, target: Target, services: Services) -> Spec:
    """The pipeline's spec; arguments and errors as `pipeline_spec.compiled`."""
    given = parameters(inputs, recipe, target.push_to)
    parts = Parts(
        examples=with_own(
            TextExampleGen, path=given["data_path"], fingerprint=given["data_version"]
        ),
        trainer=_trainer(target, services, given),
        pusher=_pusher(services, given),
    )
    return compiled(recipe, inputs, target, parts, given)


def _trainer(
    target: Target, services: Services, given: Parameters
) -> Callable[..., base_component.BaseComponent]:
    epochs = given["epochs"]
    if not services.train_on:
        return with_own(Trainer, epochs=epochs)
    job = {
        **_where(services),
        vertex.TRAINING_ARGS_KEY: {
            "project": services.project,
            "worker_pool_specs": [
                {
                    "machine_spec": _machine(services.train_on, target.resources.get("Trainer")),
                    "replica_count": 1,
                    "container_spec": {"image_uri": target.image},
                }
            ],
        },
    }

    def make(custom_config: dict[str, Any], **arguments: Any) -> base_component.BaseComponent:
        return VertexTrainer(
            **arguments, epochs=epochs, custom_config={**custom_config, **job}
        ).with_id("Trainer")

    return make


def _machine(kind: str, resources: Resources | None) -> dict[str, Any]:
    machine: dict[str, Any] = {"machine_type": kind}
    if resources and resources.accelerator:
        machine["accelerator_type"] = resources.accelerator
        machine["accelerator_count"] = resources.accelerators
    return machine


def _pusher(services: Services, given: Parameters) -> Callable[..., base_component.BaseComponent]:
    if not services.endpoint:
        return with_own(Pusher, push_destination=given["push_destination"])
    config = {
        **_where(services),
        vertex.VERTEX_CONTAINER_IMAGE_URI_KEY: services.serving_image,
        vertex.SERVING_ARGS_KEY: {
            "project_id": services.project,
            "endpoint_name": services.endpoint,
            "machine_type": services.serve_on,
        },
    }

    def make(**arguments: Any) -> base_component.BaseComponent:
        judged = {name: arguments[name] for name in ("model", "model_blessing", "infra_blessing")}
        return vertex.Pusher(**judged, custom_config=config)

    return make


def _where(services: Services) -> dict[str, Any]:
    return {vertex.ENABLE_VERTEX_KEY: True, vertex.VERTEX_REGION_KEY: services.region}
