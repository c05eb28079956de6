"""The parts of a pipeline for Kubeflow Pipelines v2.

All steps are containers: its backend has no resolvers, so the baseline is what was pushed last.
"""

from components.latest_pushed import LatestPushed
from components.pusher import Pusher
from components.text_example_gen import TextExampleGen
from components.trainer import Trainer
from pipeline.check import Inputs
from pipeline.graph import Parts
from pipeline.recipe import Recipe
from pipeline.runners.pipeline_spec import Spec, Target, compiled, parameters, with_own


def compile(recipe: Recipe, inputs: Inputs, target: Target) -> Spec:
    """The pipeline's spec; arguments and errors as `pipeline_spec.compiled`."""
    given = parameters(inputs, recipe, target.push_to)
    destination = given["push_destination"]
    parts = Parts(
        examples=with_own(
            TextExampleGen, path=given["data_path"], fingerprint=given["data_version"]
        ),
        trainer=with_own(Trainer, epochs=given["epochs"]),
        pusher=with_own(Pusher, push_destination=destination),
        baseline=lambda: LatestPushed(push_destination=destination),
    )
    return compiled(recipe, inputs, target, parts, given)
