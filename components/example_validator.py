"""ExampleValidator: the standard one, but anomalies stop the run.

The standard one sets a property of its artifact that no component reads. A raised execution is
not cached either, so a rerun on the same data stops again.
"""

from typing import Any, NamedTuple

from tensorflow_metadata.proto.v0 import anomalies_pb2
from tfx import types
from tfx.components import ExampleValidator as StandardExampleValidator
from tfx.components.example_validator import executor as standard
from tfx.dsl.components.base import executor_spec
from tfx.proto.orchestration import execution_result_pb2
from tfx.types import artifact_utils
from tfx.utils import io_utils

from trainer.errors import BadInput
from trainer.span_columns import SPAN_TYPES

_UNEXPECTED = anomalies_pb2.AnomalyInfo.ENUM_TYPE_UNEXPECTED_STRING_VALUES
_SHOWN = 5
_FIX = "Mend the data, or curate the schema."


class Anomaly(NamedTuple):
    """One thing that is wrong with one feature of one split."""

    split: str
    feature: str
    what: str
    unseen_values: bool  # values that train does not have


class Executor(standard.Executor):
    """Validates every split, then raises what it found."""

    def Do(  # noqa: N802 - TFX's name
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> execution_result_pb2.ExecutorOutput:
        """Writes the anomalies, as the standard executor does.

        Raises:
            BadInput: there are any.
        """
        result = super().Do(input_dict, output_dict, exec_properties)
        artifact = artifact_utils.get_single_instance(output_dict["anomalies"])
        found = [
            anomaly
            for split in artifact_utils.decode_split_names(artifact.split_names)
            for anomaly in read_anomalies(artifact, split)
        ]
        if found:
            raise refusal(found)
        return result


def read_anomalies(artifact: types.Artifact, split: str) -> list[Anomaly]:
    """Anomalies of a split in an ExampleAnomalies artifact."""
    folder = artifact_utils.get_split_uri([artifact], split)
    anomalies = anomalies_pb2.Anomalies()
    anomalies.ParseFromString(io_utils.read_bytes_file(f"{folder}/{standard.DEFAULT_FILE_NAME}"))
    found = [
        Anomaly(split, name, info.description, _is_unseen(info))
        for name, info in anomalies.anomaly_info.items()
    ]
    if anomalies.HasField("dataset_anomaly_info"):
        found.append(Anomaly(split, "", anomalies.dataset_anomaly_info.description, False))
    return found


def _is_unseen(info: anomalies_pb2.AnomalyInfo) -> bool:
    return any(reason.type == _UNEXPECTED for reason in info.reason)


def refusal(found: list[Anomaly]) -> BadInput:
    """The error that names split, feature, what is wrong and what would do."""
    lines = [f"{a.split}: column {a.feature!r}: {a.what}" for a in found[:_SHOWN]]
    more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
    first = found[0]
    fix = _fix_unseen(first.feature) if first.unseen_values else _FIX
    noun = "anomaly" if len(found) == 1 else "anomalies"
    return BadInput(
        f"{len(found)} {noun} against the schema. {'; '.join(lines)}{more}.",
        where=f"the {first.split} split",
        fix=fix,
    )


def _fix_unseen(feature: str) -> str:
    if feature == SPAN_TYPES:
        return (
            "Every type of entity has to occur in train: move such rows to train, or give these "
            "entities a type of train."
        )
    return (
        f"Every value of {feature!r} has to occur in train: move such rows to train, leave "
        "them out with `data.keep`, or give more data."
    )


class ExampleValidator(StandardExampleValidator):
    """The standard component, arguments and outputs and all, with an executor that fails."""

    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(Executor)
