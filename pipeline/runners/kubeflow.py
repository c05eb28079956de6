"""The parts of a pipeline for Kubeflow Pipelines v2.

All steps are containers: its backend has no resolvers, so the baseline is what was pushed last.
"""

from functools import partial

from components.latest_pushed import LatestPushed
from pipeline.check import Inputs
from pipeline.recipe import Recipe
from pipeline.runners.pipeline_spec import Spec, Target, compiled, parameters, parts


def compile(recipe: Recipe, inputs: Inputs, target: Target) -> Spec:
    """The pipeline's spec; arguments and errors as `pipeline_spec.compiled`."""
    given = parameters(inputs, recipe, target.push_to)
    baseline = partial(LatestPushed, push_destination=given["push_destination"])
    return compiled(recipe, inputs, target, parts(given, baseline=baseline), given)
