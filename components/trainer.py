"""TFX's Trainer with one more parameter: the epochs, for runs of a compiled pipeline to set.

`custom_config` is one string in a compiled pipeline, and no part of a string can be a parameter of
its own. The local run has no need of this one.
"""

from typing import Any

from tfx import types
from tfx.components.trainer import executor as standard
from tfx.dsl.components.base import base_component, executor_spec
from tfx.orchestration import data_types
from tfx.types import standard_artifacts
from tfx.types import standard_component_specs as specs
from tfx.types.component_spec import ExecutionParameter
from tfx.utils import json_utils

from trainer.errors import BadInput

EPOCHS_KEY = "epochs"


def with_epochs(exec_properties: dict[str, Any]) -> dict[str, Any]:
    """The standard Trainer's properties: `epochs` is moved into `custom_config`.

    Raises:
        BadInput: less than one epoch.
    """
    properties = dict(exec_properties)
    epochs = properties.pop(EPOCHS_KEY, None)
    if epochs is None:
        return properties
    if int(epochs) < 1:
        raise BadInput(f"{epochs} epochs teach nothing.", where=EPOCHS_KEY, fix="Give 1 or more.")
    config = json_utils.loads(properties[specs.CUSTOM_CONFIG_KEY])
    config["train"] = {**config["train"], "epochs": int(epochs)}
    return {**properties, specs.CUSTOM_CONFIG_KEY: json_utils.dumps(config)}


class Executor(standard.GenericExecutor):
    """The standard executor, with the epochs that the run was started with."""

    def Do(  # noqa: N802 - TFX's name
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """TFX's entry point; inputs and outputs are the standard Trainer's."""
        super().Do(input_dict, output_dict, with_epochs(exec_properties))


class TrainerSpec(specs.TrainerSpec):
    """The standard specification and `epochs`."""

    PARAMETERS = {
        **specs.TrainerSpec.PARAMETERS,
        EPOCHS_KEY: ExecutionParameter(type=int, optional=True),
    }


class Trainer(base_component.BaseComponent):
    """The standard Trainer with `epochs`.

    Args:
        epochs: a number or a runtime parameter; goes before `custom_config["train"]["epochs"]`.
        custom_config: what `run_fn` gets.
        **standard: as the standard Trainer's: channels, `run_fn`, `train_args`, `eval_args`.
    """

    SPEC_CLASS = TrainerSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(Executor)

    def __init__(
        self,
        epochs: int | data_types.RuntimeParameter,
        custom_config: dict[str, Any],
        **standard: Any,
    ) -> None:
        spec = TrainerSpec(
            **standard,
            custom_config=json_utils.dumps(custom_config),
            epochs=epochs,
            model=types.Channel(type=standard_artifacts.Model),
            model_run=types.Channel(type=standard_artifacts.ModelRun),
        )
        super().__init__(spec=spec)
