"""EncoderImporter: brings an encoder into the pipeline as a standard Model artifact.

TFX's cache looks at execution properties and inputs alone: the fingerprint of the encoder's content
is a property, so that one changed line of a local vocabulary makes a new artifact, and everything
that reads it runs again.
"""

import tempfile
from pathlib import Path
from typing import Any

from tfx.dsl.components.base import base_component, base_executor, executor_spec
from tfx.types import artifact_utils, channel, component_spec, standard_artifacts
from tfx.utils import io_utils, path_utils

from components.encoder_folder import check_encoder, fingerprint, lay_out
from trainer.errors import BadInput

__all__ = ["EncoderImporter", "check_encoder", "fingerprint", "lay_out"]


class Executor(base_executor.BaseExecutor):
    """Lays the encoder out where the standard Trainer looks for a `base_model`."""

    def Do(  # noqa: N802 - TFX's name
        self,
        input_dict: dict[str, list],
        output_dict: dict[str, list],
        exec_properties: dict[str, Any],
    ) -> None:
        """TFX's entry point: no inputs; fills `model`."""
        source = exec_properties["source"]
        _refuse_changed(source, exec_properties["fingerprint"])
        model = artifact_utils.get_single_instance(output_dict["model"])
        target = path_utils.serving_model_path(model.uri)
        if "://" in target:  # a bucket: made here, then copied
            with tempfile.TemporaryDirectory() as folder:
                said = lay_out(source, Path(folder))
                io_utils.copy_dir(folder, target)
        else:
            said = lay_out(source, Path(target))
        model.set_string_custom_property("source", said["source"])
        model.set_string_custom_property("sha256", said["sha256"])


def _refuse_changed(source: str, expected: str) -> None:
    """A cache entry under the old fingerprint with the new content would be wrong for ever."""
    if fingerprint(source) != expected:
        raise BadInput(
            "the encoder's content is not what it was when the pipeline was composed.",
            where=source,
            fix="Run again, and leave it alone while the pipeline runs.",
        )


class EncoderImporterSpec(component_spec.ComponentSpec):
    """No inputs, the encoder's folder as output."""

    PARAMETERS = {
        "source": component_spec.ExecutionParameter(type=str),
        "fingerprint": component_spec.ExecutionParameter(type=str),
    }
    INPUTS: dict[str, component_spec.ChannelParameter] = {}
    OUTPUTS = {"model": component_spec.ChannelParameter(type=standard_artifacts.Model)}


class EncoderImporter(base_component.BaseComponent):
    """Imports a pretrained encoder, or lays out one to be trained from scratch.

    Outputs:
        model: Model; `components.encoder_folder` says what is in its folder. Its custom properties
            `source` and `sha256` say where it came from and what it holds.
    """

    SPEC_CLASS = EncoderImporterSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(Executor)

    def __init__(self, source: str, fingerprint: str) -> None:
        """Composes the component.

        Args:
            source: a source string, or JSON of the mapping of an encoder from scratch.
            fingerprint: `encoder_folder.fingerprint(source)`, taken when the pipeline is composed.
        """
        super().__init__(
            EncoderImporterSpec(
                source=source,
                fingerprint=fingerprint,
                model=channel.Channel(type=standard_artifacts.Model),
            )
        )
