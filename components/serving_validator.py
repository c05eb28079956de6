"""ServingValidator: may this model go to a model server? Its verdict is TFX's InfraBlessing.

It takes the place of TFX's InfraValidator, which needs Docker: the standard Pusher reads the same
artifact. What is checked is in `serving.validation`; here artifacts become its arguments, and its
report becomes a flag and a file. A refused model completes the component, not blessed.
"""

import os
from typing import Any

import tensorflow as tf
from tfx import types
from tfx.dsl.components.base import base_component, base_executor, executor_spec
from tfx.types import artifact_utils, component_spec, standard_artifacts
from tfx.utils import io_utils, path_utils

from serving.validation.report import REPORT_NAME, Report
from serving.validation.validate import validate

# What the standard Pusher looks for: see tfx/components/infra_validator/executor.py.
BLESSED, NOT_BLESSED = "INFRA_BLESSED", "INFRA_NOT_BLESSED"
_BLESSED_PROPERTY = "blessed"

# The split whose texts are asked; test first, as it is what the gate is about.
_SPLITS = ("test", "eval", "train")


class ServingValidatorSpec(types.ComponentSpec):
    """Inputs, outputs and parameters of ServingValidator."""

    PARAMETERS = {
        "tf_serving": component_spec.ExecutionParameter(type=str),
        "task": component_spec.ExecutionParameter(type=str),
        "text": component_spec.ExecutionParameter(type=str),
        "label": component_spec.ExecutionParameter(type=str),
        "latency_ms": component_spec.ExecutionParameter(type=float, optional=True),
    }
    INPUTS = {
        "model": component_spec.ChannelParameter(type=standard_artifacts.Model),
        "examples": component_spec.ChannelParameter(
            type=standard_artifacts.Examples, optional=True
        ),
        "transformed_examples": component_spec.ChannelParameter(
            type=standard_artifacts.Examples, optional=True
        ),
    }
    OUTPUTS = {"blessing": component_spec.ChannelParameter(type=standard_artifacts.InfraBlessing)}


class ServingValidatorExecutor(base_executor.BaseExecutor):
    """Runs the checks and writes the blessing."""

    def Do(  # noqa: N802 - TFX's name
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Blesses the model or not; the report lies beside the flag.

        Raises:
            UnknownRelease: there is no op table for `tf_serving`.
            OSError: a fault of the machine.
        """
        self._log_startup(input_dict, output_dict, exec_properties)
        model = artifact_utils.get_single_instance(input_dict["model"])
        texts, transformed = _texts(input_dict, exec_properties["text"])
        report = validate(
            path_utils.serving_model_path(model.uri, path_utils.is_old_model_artifact(model)),
            tf_serving=exec_properties["tf_serving"],
            task=exec_properties["task"],
            text=exec_properties["text"],
            texts=texts,
            transformed=transformed,
            latency_ms=exec_properties.get("latency_ms"),
        )
        write(artifact_utils.get_single_instance(output_dict["blessing"]), report)


class ServingValidator(base_component.BaseComponent):
    """Checks a model against a TensorFlow Serving release and asks it raw strings.

    Args:
        model: a Model artifact whose `Format-Serving` is to be pushed.
        tf_serving: the release that will serve it, `"2.12"`.
        examples: raw Examples; their texts are asked. None: only texts of our own.
        transformed_examples: what Transform made of `examples`; None: skew is not checked.
        text: the text column's name.
        label: the label column's name.
        task: `"classify"` or `"tag"`.
        latency_ms: most milliseconds that the median single request may take; None: measured only.
    """

    SPEC_CLASS = ServingValidatorSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(ServingValidatorExecutor)

    def __init__(
        self,
        model: types.BaseChannel,
        tf_serving: str,
        examples: types.BaseChannel | None = None,
        transformed_examples: types.BaseChannel | None = None,
        text: str = "text",
        label: str = "label",
        task: str = "classify",
        latency_ms: float | None = None,
    ) -> None:
        super().__init__(
            ServingValidatorSpec(
                model=model,
                examples=examples,
                transformed_examples=transformed_examples,
                tf_serving=tf_serving,
                text=text,
                label=label,
                task=task,
                latency_ms=latency_ms,
                blessing=types.Channel(type=standard_artifacts.InfraBlessing),
            )
        )


def write(blessing: types.Artifact, report: Report) -> None:
    """Writes the flag that the Pusher obeys, and the report, into the artifact's folder."""
    io_utils.write_string_file(os.path.join(blessing.uri, REPORT_NAME), report.to_json())
    flag = BLESSED if report.blessed else NOT_BLESSED
    io_utils.write_string_file(os.path.join(blessing.uri, flag), "")
    blessing.set_int_custom_property(_BLESSED_PROPERTY, int(report.blessed))


def _texts(
    input_dict: dict[str, list[types.Artifact]], text: str
) -> tuple[list[bytes], list[list[int]] | None]:
    """Texts of one split, and the ids that Transform made of the same split."""
    if not input_dict.get("examples"):
        return [], None
    examples = input_dict["examples"]
    split = next((name for name in _SPLITS if _files(examples, name)), None)
    if split is None:
        return [], None
    texts = [_text_of(example, text) for example in read(_files(examples, split))]
    transformed = _files(input_dict.get("transformed_examples") or [], split)
    if not transformed:
        return texts, None
    return texts, [
        list(example.features.feature["input_word_ids"].int64_list.value)
        for example in read(transformed)
    ]


def _text_of(example: tf.train.Example, text: str) -> bytes:
    values = example.features.feature[text].bytes_list.value
    return values[0] if values else b""


def _files(artifacts: list[types.Artifact], split: str) -> list[str]:
    """The files of a split over all artifacts that have it."""
    return [
        file
        for artifact in artifacts
        if split in artifact_utils.decode_split_names(artifact.split_names)
        for file in tf.io.gfile.glob(
            os.path.join(artifact_utils.get_split_uri([artifact], split), "*")
        )
    ]


def read(files: list[str]) -> list[tf.train.Example]:
    """All Examples of gzipped TFRecord files."""
    records = tf.data.TFRecordDataset(sorted(files), compression_type="GZIP")
    return [tf.train.Example.FromString(record) for record in records.as_numpy_iterator()]
