"""TFX's Transform with two more input channels: the encoder, whose vocabulary the graph needs, and
the statistics, which have counted the labels.

A path in `custom_config` at compile time would be dead on a cluster and stale in the cache. A
channel makes the artifact part of the cache key; the encoder's URI reaches `preprocessing_fn` as
``custom_config["encoder"]``, a file of the labels as ``custom_config["labels"]``, when the
component runs.
"""

import gc
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tfx.components import Transform as StandardTransform
from tfx.components.statistics_gen import stats_artifact_utils
from tfx.components.transform import executor as standard
from tfx.dsl.components.base import base_beam_component, executor_spec
from tfx.proto import transform_pb2
from tfx.types import artifact_utils, channel, standard_artifacts
from tfx.types import standard_component_specs as specs
from tfx.types.component_spec import ChannelParameter
from tfx.utils import io_utils, json_utils, path_utils, proto_utils

from components import graph_in_workers, train_labels, write_transformed
from trainer.preprocessing import LABEL_VOCABULARY
from trainer.span_columns import SPAN_TYPES

ENCODER_KEY = "encoder"
STATISTICS_KEY = "statistics"


class Executor(standard.Executor):
    """Puts the encoder's folder and the labels into `custom_config`, then transforms."""

    def Do(  # noqa: N802 - TFX's name
        self,
        input_dict: dict[str, list],
        output_dict: dict[str, list],
        exec_properties: dict[str, Any],
    ) -> None:
        """TFX's entry point; the inputs are the standard Transform's, `encoder`, `statistics`."""
        others = dict(input_dict)
        encoder = artifact_utils.get_single_instance(others.pop(ENCODER_KEY))
        statistics = others.pop(STATISTICS_KEY, None)
        config = json_utils.loads(exec_properties.get(specs.CUSTOM_CONFIG_KEY) or "null") or {}
        config[ENCODER_KEY] = path_utils.serving_model_path(encoder.uri)
        properties = dict(exec_properties)
        labels = _labels(statistics, config) if statistics else []
        if labels:
            config["labels"] = self._label_file(labels)
            properties[specs.SPLITS_CONFIG_KEY] = _nothing_to_analyze(others[specs.EXAMPLES_KEY])
        properties[specs.CUSTOM_CONFIG_KEY] = json_utils.dumps(config)
        with (
            _seldom_collecting(),
            write_transformed.by_batches(),
            graph_in_workers.with_text_ops(),
        ):
            super().Do(others, output_dict, properties)

    def _label_file(self, labels: list[str]) -> str:
        """Where Beam's workers see it, too; its name is that of the exported asset."""
        path = os.path.join(self._get_tmp_dir(), LABEL_VOCABULARY)
        io_utils.write_string_file(path, "".join(f"{label}\n" for label in labels))
        return path


@contextmanager
def _seldom_collecting() -> Iterator[None]:
    """Tracing makes many objects that live on, which the collector would go through ever again.

    Rows are freed by their reference counts.
    """
    usual = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(100_000, *usual[1:])
    try:
        yield
    finally:
        gc.set_threshold(*usual)
        gc.unfreeze()


def _labels(statistics: list[Any], config: dict[str, Any]) -> list[str]:
    column = SPAN_TYPES if config["task"] == "tag" else config["label"]
    train = stats_artifact_utils.load_statistics(
        artifact_utils.get_single_instance(statistics), "train"
    )
    return train_labels.by_frequency(train.proto().datasets[0], column)


def _nothing_to_analyze(examples: list[Any]) -> str:
    """A SplitsConfig. TFX wants a split to analyze, and reads it in vain: not the largest."""
    splits = artifact_utils.decode_split_names(examples[0].split_names)
    analyze = next((split for split in splits if split != "train"), "train")
    config = transform_pb2.SplitsConfig(analyze=[analyze], transform=splits)
    return proto_utils.proto_to_json(config)


class TransformSpec(specs.TransformSpec):
    """The standard specification and the channels `encoder` and `statistics`."""

    INPUTS = {
        **specs.TransformSpec.INPUTS,
        ENCODER_KEY: ChannelParameter(type=standard_artifacts.Model),
        STATISTICS_KEY: ChannelParameter(type=standard_artifacts.ExampleStatistics, optional=True),
    }


class Transform(StandardTransform):
    """The standard Transform with the channels `encoder` and `statistics`.

    Transform's own statistics and its analyzer cache are off: StatisticsGen has the statistics, and
    the only analyzer, run where these do not hold all labels, costs less than its cache.
    """

    SPEC_CLASS = TransformSpec
    EXECUTOR_SPEC = executor_spec.BeamExecutorSpec(Executor)

    def __init__(
        self,
        examples: channel.BaseChannel,
        schema: channel.BaseChannel,
        encoder: channel.BaseChannel,
        statistics: channel.BaseChannel,
        preprocessing_fn: str,
        custom_config: dict[str, Any],
    ) -> None:
        """Composes the component.

        Args:
            examples: Examples with a train split, which is analyzed; all splits are transformed.
            schema: the Schema of the raw columns.
            encoder: a Model: the folder that `EncoderImporter` lays out.
            statistics: of the examples.
            preprocessing_fn: import path, e.g. ``trainer.preprocessing.preprocessing_fn``.
            custom_config: what `preprocessing_fn` gets besides the encoder's folder.
        """
        transformed = channel.Channel(type=standard_artifacts.Examples)
        transformed.matching_channel_name = "examples"
        spec = TransformSpec(
            examples=examples,
            schema=schema,
            encoder=encoder,
            statistics=statistics,
            preprocessing_fn=preprocessing_fn,
            custom_config=json_utils.dumps(custom_config),
            force_tf_compat_v1=0,
            disable_statistics=1,
            transform_graph=channel.Channel(type=standard_artifacts.TransformGraph),
            transformed_examples=transformed,
        )
        # The standard __init__ builds a specification that has no room for the encoder.
        base_beam_component.BaseBeamComponent.__init__(self, spec=spec)
