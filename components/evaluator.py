"""TFX's Evaluator, which compares with the last blessed model only where that makes sense.

A model for other labels, columns or another task is no baseline: its accuracy or F1 is a different
number. The standard Evaluator would compare them all the same.
"""

import os
from typing import Any

from absl import logging
from tfx.components import Evaluator as StandardEvaluator
from tfx.components.evaluator import executor as standard
from tfx.dsl.components.base import executor_spec
from tfx.dsl.io import fileio
from tfx.types import artifact_utils
from tfx.types import standard_component_specs as specs
from tfx.utils import path_utils

from trainer.card import read_card

BASELINE_PROPERTY = "baseline"  # custom property of the blessing: what it was compared with
_MUST_AGREE = ("task", "text", "label", "labels")


class Executor(standard.Executor):
    """Drops a baseline that answers another question, then evaluates."""

    def Do(  # noqa: N802 - TFX's name
        self,
        input_dict: dict[str, list],
        output_dict: dict[str, list],
        exec_properties: dict[str, Any],
    ) -> None:
        """TFX's entry point; inputs, outputs and properties are the standard Evaluator's."""
        inputs = dict(input_dict)
        verdict = "no blessed model yet"
        if not _has_model(inputs.get(specs.BASELINE_MODEL_KEY)):
            inputs.pop(specs.BASELINE_MODEL_KEY, None)
        if inputs.get(specs.BASELINE_MODEL_KEY):
            differing = _differences(inputs[specs.MODEL_KEY], inputs[specs.BASELINE_MODEL_KEY])
            verdict = f"compared with model {inputs[specs.BASELINE_MODEL_KEY][0].id}"
            if differing:
                verdict = f"no baseline: the blessed model has other {' and '.join(differing)}"
                inputs.pop(specs.BASELINE_MODEL_KEY)
        logging.info("Evaluator: %s.", verdict)
        super().Do(inputs, output_dict, exec_properties)
        blessing = artifact_utils.get_single_instance(output_dict[specs.BLESSING_KEY])
        blessing.set_string_custom_property(BASELINE_PROPERTY, verdict)


class Evaluator(StandardEvaluator):
    """The standard Evaluator with the check above."""

    EXECUTOR_SPEC = executor_spec.BeamExecutorSpec(Executor)


def _has_model(baseline: list | None) -> bool:
    """Whether there is a baseline; `LatestPushed` gives an empty one before the first push."""
    return bool(baseline) and fileio.exists(
        os.path.join(
            path_utils.serving_model_path(artifact_utils.get_single_uri(baseline)),
            "saved_model.pb",
        )
    )


def _differences(candidate: list, baseline: list) -> list[str]:
    """The keys of the two models' cards that must agree and do not."""
    mine, theirs = (
        read_card(path_utils.serving_model_path(artifact_utils.get_single_uri(model)))
        for model in (candidate, baseline)
    )
    return [key for key in _MUST_AGREE if _said(mine, key) != _said(theirs, key)]


def _said(card: dict[str, Any], key: str) -> Any:
    """A card's value; labels in any order, and nothing where the task has no such thing."""
    return sorted(card.get(key, [])) if key == "labels" else card.get(key)
