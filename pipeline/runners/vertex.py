"""The parts of a pipeline for Vertex AI Pipelines: Trainer and Pusher may be Vertex's own.

The last blessed model is found by Vertex's resolver. Compiled and checked by the clients' own code
only: no Google Cloud was at hand.
"""

from dataclasses import dataclass
from typing import Any

from tfx.dsl.components.base import base_component
from tfx.v1.extensions import google_cloud_ai_platform as vertex  # noqa: TID251 - what it is for

from components.vertex_trainer import VertexTrainer
from pipeline.check import Inputs
from pipeline.recipe import Recipe
from pipeline.runners.pipeline_spec import (
    Make,
    Parameters,
    Spec,
    Target,
    compiled,
    parameters,
    parts,
)
from pipeline.runners.resources import Resources


@dataclass(frozen=True)
class Services:
    """Vertex's own services that take the place of a container step.

    Attributes:
        project: the Google Cloud project.
        region: e.g. ``europe-west4``.
        train_on: a machine type: the Trainer is a custom job on one; None: a step like the others.
        train_workers: how many such machines train together.
        endpoint: its name: the Pusher deploys there; None: it copies to the push destination.
        serve_on: the endpoint's machine type.
        serving_image: what answers at the endpoint.
    """

    project: str | None = None
    region: str | None = None
    train_on: str | None = None
    train_workers: int = 1
    endpoint: str | None = None
    serve_on: str = "n1-standard-2"
    serving_image: str = ""


def compile(recipe: Recipe, inputs: Inputs, target: Target, services: Services) -> Spec:
    """The pipeline's spec; arguments and errors as `pipeline_spec.compiled`."""
    given = parameters(inputs, recipe, target.push_to)
    own: dict[str, Make] = {}
    if services.train_on:
        own["trainer"] = _trainer(services.train_on, target, services, given)
    if services.endpoint:
        own["pusher"] = _pusher(services.endpoint, services)
    return compiled(recipe, inputs, target, parts(given, **own), given)


def _trainer(machine: str, target: Target, services: Services, given: Parameters) -> Make:
    job = {
        **_where(services),
        vertex.TRAINING_ARGS_KEY: {
            "project": services.project,
            **_workers(machine, services.train_workers, target),
        },
    }

    def make(custom_config: dict[str, Any], **arguments: Any) -> base_component.BaseComponent:
        return VertexTrainer(
            **arguments, epochs=given["epochs"], custom_config={**custom_config, **job}
        ).with_id("Trainer")

    return make


def _workers(kind: str, number: int, target: Target) -> dict[str, Any]:
    """The chief's pool, the others', and what is done when one is lost.

    Source: cloud.google.com/vertex-ai/docs/training/distributed-training; CustomJobSpec.scheduling.
    """
    pool = {
        "machine_spec": _machine(kind, target.resources.get("Trainer")),
        "replica_count": 1,
        "container_spec": {"image_uri": target.image},
    }
    if number == 1:
        return {"worker_pool_specs": [pool]}
    return {
        "worker_pool_specs": [pool, {**pool, "replica_count": number - 1}],
        # One that comes back alone finds the others gone: they go on together or not at all.
        "scheduling": {"restart_job_on_worker_restart": True},
    }


def _machine(kind: str, resources: Resources | None) -> dict[str, Any]:
    machine: dict[str, Any] = {"machine_type": kind}
    if resources and resources.accelerator:
        machine["accelerator_type"] = resources.accelerator
        machine["accelerator_count"] = resources.accelerators
    return machine


def _pusher(endpoint: str, services: Services) -> Make:
    config = {
        **_where(services),
        vertex.VERTEX_CONTAINER_IMAGE_URI_KEY: services.serving_image,
        vertex.SERVING_ARGS_KEY: {
            "project_id": services.project,
            "endpoint_name": endpoint,
            "machine_type": services.serve_on,
        },
    }

    def make(**arguments: Any) -> base_component.BaseComponent:
        judged = {name: arguments[name] for name in ("model", "model_blessing", "infra_blessing")}
        return vertex.Pusher(**judged, custom_config=config)

    return make


def _where(services: Services) -> dict[str, Any]:
    return {vertex.ENABLE_VERTEX_KEY: True, vertex.VERTEX_REGION_KEY: services.region}
