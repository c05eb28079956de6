"""TextSchemaGen: the standard SchemaGen, taught what a text, a label and a slice are.

TFDV takes few distinct texts for categories, many distinct labels (over 100) for free text, and
a label that is absent at serving for an anomaly. Which column is what, we know.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from absl import logging
from tensorflow_metadata.proto.v0 import schema_pb2, statistics_pb2
from tfx import types
from tfx.components.schema_gen import executor as standard
from tfx.components.statistics_gen import stats_artifact_utils
from tfx.dsl.components.base import base_component, executor_spec
from tfx.types import artifact_utils, component_spec, standard_artifacts, standard_component_specs
from tfx.utils import io_utils, json_utils

from components.splits import SPLITS
from trainer.errors import BadInput
from trainer.span_columns import OFFSETS, SPAN_TYPES


def describe_text(feature: schema_pb2.Feature) -> None:
    """A text: exactly one in every row, any value. Parsed as [batch] string."""
    feature.type = schema_pb2.BYTES
    feature.shape.SetInParent()
    feature.presence.min_fraction, feature.presence.min_count = 1.0, 1


def describe_label(feature: schema_pb2.Feature, values: Sequence[str]) -> None:
    """A label: one of ``values``, or any where there are none.

    Without a shape it is parsed as [batch, 1] sparse, so a request may lack it; presence is what
    the validator asks of the data.
    """
    feature.type = schema_pb2.BYTES
    feature.value_count.min = feature.value_count.max = 1
    feature.presence.min_fraction, feature.presence.min_count = 1.0, 1
    if values:
        feature.string_domain.value.extend(sorted(values))


def describe_slice(feature: schema_pb2.Feature) -> None:
    """A column to slice by: at most one value in a row, any value. Parsed as sparse."""
    feature.type = schema_pb2.BYTES
    feature.value_count.max = 1


def describe_spans(schema: schema_pb2.Schema, types: Sequence[str]) -> None:
    """The five features of a tagged row: lists of any length, parsed as sparse; or absent.

    Args:
        types: those of train become the domain of ``span_types``; [] for none.
    """
    for name in OFFSETS:
        _fresh(schema, name).type = schema_pb2.INT
    feature = _fresh(schema, SPAN_TYPES)
    feature.type = schema_pb2.BYTES
    if types:
        feature.string_domain.value.extend(sorted(types))


def label_values(statistics: statistics_pb2.DatasetFeatureStatistics, label: str) -> list[str]:
    """All values of a label in a split; [] if its statistics do not hold them all.

    Raises:
        BadInput: there is one value only.
    """
    values = all_values(statistics, label)
    if len(values) == 1:
        raise BadInput(
            f"column {label!r} has one class only ({values[0]!r})",
            where="data.label",
            fix="A classifier needs two or more; does `data.keep` leave too few?",
        )
    return values


def all_values(statistics: statistics_pb2.DatasetFeatureStatistics, label: str) -> list[str]:
    """All values of a column in a split; [] if its statistics do not hold them all.

    They hold ``StatsOptions.num_rank_histogram_buckets`` values, 1,000 if that is not set.
    """
    found = next(f for f in statistics.features if (f.name or f.path.step[0]) == label)
    values = [bucket.label for bucket in found.string_stats.rank_histogram.buckets]
    if found.string_stats.unique != len(values):
        logging.warning(
            "Label %r has %d values, its statistics hold %d: the schema gets no domain, and a "
            "label that only eval or test has is not noticed.",
            label,
            found.string_stats.unique,
            len(values),
        )
        return []
    return values


class Executor(standard.Executor):
    """Infers from train as the standard executor does, then says what each column is."""

    def Do(  # noqa: N802 - TFX's name
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Writes schema.pbtxt.

        Raises:
            BadInput: the label has one class.
        """
        super().Do(input_dict, output_dict, exec_properties)
        statistics = stats_artifact_utils.load_statistics(
            artifact_utils.get_single_instance(input_dict["statistics"]), "train"
        ).proto()
        uri = artifact_utils.get_single_uri(output_dict["schema"])
        path = f"{uri}/{standard.DEFAULT_FILE_NAME}"
        schema = io_utils.SchemaReader().read(path)
        columns = json.loads(exec_properties["columns"])
        _describe(schema, statistics.datasets[0], columns)
        io_utils.write_pbtxt_file(path, schema)


def _describe(
    schema: schema_pb2.Schema,
    statistics: statistics_pb2.DatasetFeatureStatistics,
    columns: dict[str, Any],
) -> None:
    del schema.string_domain[:]
    label = columns["label"]
    for name in columns["slices"]:
        describe_slice(_fresh(schema, name))
    for name in columns["text"]:
        describe_text(_fresh(schema, name))
    if label:
        describe_label(_fresh(schema, label), label_values(statistics, label))
    if columns["spans"]:
        describe_spans(schema, all_values(statistics, SPAN_TYPES))


def _fresh(schema: schema_pb2.Schema, name: str) -> schema_pb2.Feature:
    """The feature of that name with nothing said about it."""
    for feature in schema.feature:
        if feature.name == name:
            feature.Clear()
            feature.name = name
            return feature
    return schema.feature.add(name=name)


class TextSchemaGenSpec(component_spec.ComponentSpec):
    """SchemaGen's, and the columns."""

    PARAMETERS: Mapping[str, Any] = {
        **standard_component_specs.SchemaGenSpec.PARAMETERS,
        "columns": component_spec.ExecutionParameter(type=str),
    }
    INPUTS = standard_component_specs.SchemaGenSpec.INPUTS
    OUTPUTS = standard_component_specs.SchemaGenSpec.OUTPUTS


class TextSchemaGen(base_component.BaseComponent):
    """Infers a schema of text data from the statistics of train.

    Args:
        statistics: StatisticsGen's output.
        text: text column, or several.
        label: label column, whose values in train become its domain.
        slices: further columns.
        spans: the data is tagged; the types of entities in train become a domain.
    """

    SPEC_CLASS = TextSchemaGenSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(Executor)

    def __init__(
        self,
        statistics: types.BaseChannel,
        text: str | Sequence[str],
        label: str | None = None,
        slices: Sequence[str] = (),
        spans: bool = False,
    ):
        columns = {
            "text": [text] if isinstance(text, str) else list(text),
            "label": label,
            "slices": [name for name in slices if name != label],
            "spans": spans,
        }
        spec = TextSchemaGenSpec(
            statistics=statistics,
            infer_feature_shape=1,
            exclude_splits=json_utils.dumps([split for split in SPLITS if split != "train"]),
            columns=json.dumps(columns),
            schema=types.Channel(type=standard_artifacts.Schema),
        )
        super().__init__(spec=spec)
