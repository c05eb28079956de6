"""TFX's Pusher, which puts the model card into the version that it pushes.

The card tells of the Evaluator's metrics, which are not there yet when the Trainer exports. What is
pushed is otherwise what was judged, byte for byte.

A version is made whole beside the base path and then renamed into it, so that a model server that
watches the base path sees all of it or nothing. In a bucket, where a rename is no single step, it
is pushed as the standard Pusher does it, saved_model.pb last; the card, which no server reads,
comes after.
"""

import os
from collections.abc import Callable
from functools import partial
from typing import Any

from tfx import types
from tfx.components import Pusher as StandardPusher
from tfx.components.pusher import executor as standard
from tfx.dsl.components.base import base_component, executor_spec
from tfx.dsl.io import fileio
from tfx.orchestration import data_types
from tfx.proto import pusher_pb2
from tfx.types import artifact_utils, standard_artifacts
from tfx.types import standard_component_specs as specs
from tfx.types.component_spec import ChannelParameter, ExecutionParameter
from tfx.utils import io_utils, json_utils, path_utils, proto_utils

from components import evaluation_results, model_card
from components.data_report import FILE_NAME as DATA_REPORT
from components.data_report import DataReport
from serving.validation import report as serving_report
from trainer.card import read_card

EVALUATION, EXAMPLES, ENCODER, TOLD = "evaluation", "examples", "encoder", "told"
_DESTINATION = "pushed_destination"


class Executor(standard.Executor):
    """Pushes, writes the card, and lets the version be seen."""

    def Do(  # noqa: N802 - TFX's name
        self,
        input_dict: dict[str, list],
        output_dict: dict[str, list],
        exec_properties: dict[str, Any],
    ) -> None:
        """TFX's entry point; inputs are the standard Pusher's and what the card tells of."""
        pushed = artifact_utils.get_single_instance(output_dict[specs.PUSHED_MODEL_KEY])
        base = _base_directory(exec_properties)
        stage = base if "://" in base else _beside(base)
        # What cannot be read stops the step before anything is pushed.
        card_of = _card_of(input_dict, exec_properties[TOLD])
        if stage != base and fileio.exists(stage):  # of a run that was killed
            fileio.rmtree(stage)
        super().Do(input_dict, output_dict, _pushing_to(stage, exec_properties))
        if not pushed.get_int_custom_property("pushed"):
            return
        staged = pushed.get_string_custom_property(_DESTINATION)
        version = os.path.basename(staged)
        card = card_of(version=version)
        for folder in (staged, pushed.uri):
            io_utils.write_string_file(os.path.join(folder, model_card.FILE), card)
        if stage != base:
            _show(staged, os.path.join(base, version))
            fileio.rmtree(stage)
        pushed.set_string_custom_property(_DESTINATION, os.path.join(base, version))


class PusherSpec(specs.PusherSpec):
    """The standard specification, and what the card tells of."""

    PARAMETERS = {**specs.PusherSpec.PARAMETERS, TOLD: ExecutionParameter(type=str)}
    INPUTS = {
        **specs.PusherSpec.INPUTS,
        EVALUATION: ChannelParameter(type=standard_artifacts.ModelEvaluation),
        EXAMPLES: ChannelParameter(type=standard_artifacts.Examples),
        ENCODER: ChannelParameter(type=standard_artifacts.Model),
    }


class Pusher(StandardPusher):
    """The standard Pusher with a model card."""

    SPEC_CLASS = PusherSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(Executor)

    def __init__(
        self,
        model: types.BaseChannel,
        model_blessing: types.BaseChannel,
        infra_blessing: types.BaseChannel,
        push_destination: pusher_pb2.PushDestination | data_types.RuntimeParameter,
        evaluation: types.BaseChannel,
        examples: types.BaseChannel,
        encoder: types.BaseChannel,
        told: str,
    ) -> None:
        """Composes the component.

        Args:
            model: Model of the Trainer.
            model_blessing: of the Evaluator.
            infra_blessing: of ServingValidator.
            push_destination: the model's base path; versions go below it.
            evaluation: the Evaluator's metrics.
            examples: TextExampleGen's, with its report.
            encoder: EncoderImporter's.
            told: JSON of `model_card.Told`, by the recipe and its sources.
        """
        spec = PusherSpec(
            model=model,
            model_blessing=model_blessing,
            infra_blessing=infra_blessing,
            evaluation=evaluation,
            examples=examples,
            encoder=encoder,
            told=told,
            push_destination=push_destination,
            custom_config=json_utils.dumps(None),
            pushed_model=types.Channel(type=standard_artifacts.PushedModel),
        )
        # The standard __init__ builds a specification that has no room for the rest.
        base_component.BaseComponent.__init__(self, spec=spec)


def _card_of(input_dict: dict[str, list], told: str) -> Callable[..., str]:
    """Reads what the card tells of; what it gives writes the card of a version."""
    folder = {
        key: artifact_utils.get_single_uri(input_dict[key])
        for key in (specs.MODEL_KEY, EVALUATION, EXAMPLES, specs.INFRA_BLESSING_KEY)
    }
    encoder = artifact_utils.get_single_instance(input_dict[ENCODER])
    digest = encoder.get_string_custom_property("sha256")
    return partial(
        model_card.markdown,
        model_card.Told.from_json(told).with_encoder(digest),
        read_card(path_utils.serving_model_path(folder[specs.MODEL_KEY])),
        DataReport.from_json(
            io_utils.read_string_file(os.path.join(folder[EXAMPLES], DATA_REPORT))
        ),
        evaluation_results.slices(folder[EVALUATION]),
        serving_report.parse(
            io_utils.read_string_file(
                os.path.join(folder[specs.INFRA_BLESSING_KEY], serving_report.REPORT_NAME)
            )
        ),
    )


def _destination(exec_properties: dict[str, Any]) -> pusher_pb2.PushDestination:
    destination = pusher_pb2.PushDestination()
    proto_utils.json_to_proto(exec_properties[specs.PUSH_DESTINATION_KEY], destination)
    return destination


def _base_directory(exec_properties: dict[str, Any]) -> str:
    return _destination(exec_properties).filesystem.base_directory.rstrip("/")


def _pushing_to(base: str, exec_properties: dict[str, Any]) -> dict[str, Any]:
    destination = _destination(exec_properties)
    destination.filesystem.base_directory = base
    said = proto_utils.proto_to_json(destination)
    return {**exec_properties, specs.PUSH_DESTINATION_KEY: said}


def _beside(base: str) -> str:
    """A folder on the same disk that no server watches."""
    return os.path.join(os.path.dirname(base), f".{os.path.basename(base)}.half")


def _show(staged: str, version: str) -> None:
    fileio.makedirs(os.path.dirname(version))
    if not fileio.exists(version):  # the very second's is there already: as the standard Pusher
        fileio.rename(staged, version)
