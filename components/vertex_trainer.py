"""The Trainer as a custom job of Vertex AI: the step starts the job and waits for its end."""

from typing import Any

from tfx import types
from tfx.dsl.components.base import executor_spec
from tfx.extensions.google_cloud_ai_platform.trainer import executor as standard

from components.trainer import Trainer, with_epochs


class Executor(standard.GenericExecutor):
    """The standard executor of such jobs, with the epochs that the run was started with."""

    def Do(  # noqa: N802 - TFX's name
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """TFX's entry point; `custom_config` says which job (TFX's keys for Vertex)."""
        super().Do(input_dict, output_dict, with_epochs(exec_properties))


class VertexTrainer(Trainer):
    """As `Trainer`; its `custom_config` holds project, region, machine and image of the job."""

    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(Executor)
