"""TFX's Transform with one more input channel: the encoder, whose vocabulary the graph needs.

A path in `custom_config` at compile time would be dead on a cluster and stale in the cache. The
channel makes the artifact part of the cache key, and its URI reaches `preprocessing_fn` as
``custom_config["encoder"]`` when the component runs.
"""

from typing import Any

from tfx.components import Transform as StandardTransform
from tfx.components.transform import executor as standard
from tfx.dsl.components.base import base_beam_component, executor_spec
from tfx.types import artifact_utils, channel, standard_artifacts
from tfx.types import standard_component_specs as specs
from tfx.types.component_spec import ChannelParameter
from tfx.utils import json_utils, path_utils

ENCODER_KEY = "encoder"


class Executor(standard.Executor):
    """Puts the encoder's folder into `custom_config`, then transforms."""

    def Do(  # noqa: N802 - TFX's name
        self,
        input_dict: dict[str, list],
        output_dict: dict[str, list],
        exec_properties: dict[str, Any],
    ) -> None:
        """TFX's entry point; the inputs are those of the standard Transform and `encoder`."""
        encoder = artifact_utils.get_single_instance(input_dict[ENCODER_KEY])
        config = json_utils.loads(exec_properties.get(specs.CUSTOM_CONFIG_KEY) or "null") or {}
        config[ENCODER_KEY] = path_utils.serving_model_path(encoder.uri)
        properties = {**exec_properties, specs.CUSTOM_CONFIG_KEY: json_utils.dumps(config)}
        others = {key: value for key, value in input_dict.items() if key != ENCODER_KEY}
        super().Do(others, output_dict, properties)


class TransformSpec(specs.TransformSpec):
    """The standard specification and the `encoder` channel."""

    INPUTS = {
        **specs.TransformSpec.INPUTS,
        ENCODER_KEY: ChannelParameter(type=standard_artifacts.Model),
    }


class Transform(StandardTransform):
    """The standard Transform with the `encoder` channel.

    Transform's own statistics and its analyzer cache are off: StatisticsGen has the statistics, and
    the only analyzer is the label vocabulary, which costs less than its cache.
    """

    SPEC_CLASS = TransformSpec
    EXECUTOR_SPEC = executor_spec.BeamExecutorSpec(Executor)

    def __init__(
        self,
        examples: channel.BaseChannel,
        schema: channel.BaseChannel,
        encoder: channel.BaseChannel,
        preprocessing_fn: str,
        custom_config: dict[str, Any],
    ) -> None:
        """Composes the component.

        Args:
            examples: Examples with a train split, which is analyzed; all splits are transformed.
            schema: the Schema of the raw columns.
            encoder: a Model: the folder that `EncoderImporter` lays out.
            preprocessing_fn: import path, e.g. ``trainer.preprocessing.preprocessing_fn``.
            custom_config: what `preprocessing_fn` gets besides the encoder's folder.
        """
        transformed = channel.Channel(type=standard_artifacts.Examples)
        transformed.matching_channel_name = "examples"
        spec = TransformSpec(
            examples=examples,
            schema=schema,
            encoder=encoder,
            preprocessing_fn=preprocessing_fn,
            custom_config=json_utils.dumps(custom_config),
            force_tf_compat_v1=0,
            disable_statistics=1,
            transform_graph=channel.Channel(type=standard_artifacts.TransformGraph),
            transformed_examples=transformed,
        )
        # The standard __init__ builds a specification that has no room for the encoder.
        base_beam_component.BaseBeamComponent.__init__(self, spec=spec)
