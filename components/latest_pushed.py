"""LatestPushed: the newest version at the push destination, as the baseline of the next model.

Kubeflow Pipelines' own backend has no resolvers (it answers "resolver not implemented yet"), so
ML Metadata cannot be asked for the last blessed model. What was pushed had been blessed.
"""

import os
from typing import Any

from google.protobuf import json_format
from tfx import types
from tfx.dsl.components.base import base_component, base_executor, executor_spec
from tfx.dsl.io import fileio
from tfx.orchestration import data_types
from tfx.proto import pusher_pb2
from tfx.types import artifact_utils, standard_artifacts
from tfx.types.component_spec import ChannelParameter, ComponentSpec, ExecutionParameter
from tfx.utils import io_utils, path_utils

from trainer.errors import BadInput

DESTINATION_KEY = "push_destination"


class LatestPushedSpec(ComponentSpec):
    """No inputs; the Pusher's destination as its one parameter."""

    PARAMETERS = {
        DESTINATION_KEY: ExecutionParameter(type=pusher_pb2.PushDestination, use_proto=True)
    }
    INPUTS: dict[str, ChannelParameter] = {}
    OUTPUTS = {"model": ChannelParameter(type=standard_artifacts.Model)}


class Executor(base_executor.BaseExecutor):
    """Copies the newest version; where there is none, the artifact stays an empty folder."""

    def Do(  # noqa: N802 - TFX's name
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """TFX's entry point.

        Raises:
            BadInput: the destination is none that the Pusher could read.
        """
        model = artifact_utils.get_single_instance(output_dict["model"])
        newest = newest_version(base_directory(exec_properties[DESTINATION_KEY]))
        fileio.makedirs(model.uri)
        if newest:
            io_utils.copy_dir(newest, path_utils.serving_model_path(model.uri))
            model.set_string_custom_property("pushed_destination", newest)


def base_directory(destination: str) -> str:
    """The folder in the JSON of a PushDestination.

    Raises:
        BadInput: it is no such JSON, or names no folder.
    """
    parsed = pusher_pb2.PushDestination()
    try:
        json_format.Parse(destination, parsed)
    except json_format.ParseError as error:
        raise _no_destination(destination) from error
    if not parsed.filesystem.base_directory:
        raise _no_destination(destination)
    return parsed.filesystem.base_directory


def newest_version(base: str) -> str | None:
    """The folder of the highest number below a model's base path; None where there is none."""
    if not fileio.isdir(base):
        return None
    names = [name.rstrip("/") for name in fileio.listdir(base)]
    whole = [
        name
        for name in names
        if name.isdigit() and fileio.exists(os.path.join(base, name, "saved_model.pb"))
    ]
    return os.path.join(base, max(whole, key=int)) if whole else None


def _no_destination(found: str) -> BadInput:
    return BadInput(
        f"{found!r} is no push destination.",
        where=DESTINATION_KEY,
        fix='Give JSON: {"filesystem": {"base_directory": "gs://bucket/models/NAME"}}.',
    )


class LatestPushed(base_component.BaseComponent):
    """Finds what the Pusher pushed last.

    Outputs:
        model: Model, laid out like the Trainer's; empty before the first push.
    """

    SPEC_CLASS = LatestPushedSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(Executor)

    def __init__(
        self, push_destination: pusher_pb2.PushDestination | data_types.RuntimeParameter
    ) -> None:
        """Composes the component; the runner must not cache it, as the folder changes."""
        super().__init__(
            LatestPushedSpec(
                push_destination=push_destination,
                model=types.Channel(type=standard_artifacts.Model),
            )
        )
