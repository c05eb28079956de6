"""TF Serving's configuration files: protos in text form, read with errors that name file and line.

The wheel of TF Serving's API brings ModelServerConfig alone. BatchingParameters, MonitoringConfig
and SSLConfig are declared here by the field names and types of
tensorflow_serving/servables/tensorflow/session_bundle_config.proto, config/monitoring_config.proto
and config/ssl_config.proto.
"""

import re
from pathlib import Path
from typing import Any, TypeVar

from google.protobuf import descriptor_pb2, message_factory, text_format, wrappers_pb2
from google.protobuf.message import Message

from serving.errors import BadConfig
from serving.protos import model_server_config_pb2

_PACKAGE = "rawbert.serving"
_Type = descriptor_pb2.FieldDescriptorProto
_SCALARS = {"bool": _Type.TYPE_BOOL, "string": _Type.TYPE_STRING, "int64": _Type.TYPE_INT64}

_MESSAGES: dict[str, dict[str, str]] = {
    "BatchingParameters": {
        "max_batch_size": ".google.protobuf.Int64Value",
        "batch_timeout_micros": ".google.protobuf.Int64Value",
        "max_enqueued_batches": ".google.protobuf.Int64Value",
        "num_batch_threads": ".google.protobuf.Int64Value",
        "thread_pool_name": ".google.protobuf.StringValue",
        "allowed_batch_sizes": "repeated int64",
        "pad_variable_length_inputs": "bool",
        "enable_large_batch_splitting": ".google.protobuf.BoolValue",
        "max_execution_batch_size": ".google.protobuf.Int64Value",
    },
    "PrometheusConfig": {"enable": "bool", "path": "string"},
    "MonitoringConfig": {"prometheus_config": f".{_PACKAGE}.PrometheusConfig"},
    "SSLConfig": {
        "server_key": "string",
        "server_cert": "string",
        "custom_ca": "string",
        "client_verify": "bool",
    },
}


def _classes() -> dict[str, Any]:
    wrappers = descriptor_pb2.FileDescriptorProto()
    wrappers_pb2.DESCRIPTOR.CopyToProto(wrappers)
    file = descriptor_pb2.FileDescriptorProto(
        name="rawbert/serving/config.proto",
        package=_PACKAGE,
        syntax="proto3",
        dependency=[wrappers.name],
    )
    for name, fields in _MESSAGES.items():
        message = file.message_type.add(name=name)
        for number, (field, kind) in enumerate(fields.items(), 1):
            _declare(message.field.add(name=field, number=number), kind)
    return message_factory.GetMessages([wrappers, file])


def _declare(field: descriptor_pb2.FieldDescriptorProto, kind: str) -> None:
    repeated, _, scalar = kind.rpartition(" ")
    field.label = _Type.LABEL_REPEATED if repeated else _Type.LABEL_OPTIONAL
    if scalar in _SCALARS:
        field.type = _SCALARS[scalar]
    else:
        field.type, field.type_name = _Type.TYPE_MESSAGE, scalar


_CLASSES = _classes()
BatchingParameters: Any = _CLASSES[f"{_PACKAGE}.BatchingParameters"]
MonitoringConfig: Any = _CLASSES[f"{_PACKAGE}.MonitoringConfig"]
SSLConfig: Any = _CLASSES[f"{_PACKAGE}.SSLConfig"]

# Where Prometheus finds the metrics if a MonitoringConfig does not say:
# tensorflow_serving/util/prometheus_exporter.cc.
METRICS_PATH = "/monitoring/prometheus/metrics"

_M = TypeVar("_M", bound=Message)
_WHERE = re.compile(r"^(?P<line>\d+):(?P<column>\d+) : (?P<what>.*)$", re.DOTALL)


def one_model(
    name: str, base_path: str, version: int | None = None
) -> model_server_config_pb2.ModelServerConfig:
    """A config of one model: its newest version, or the one given."""
    config = model_server_config_pb2.ModelServerConfig()
    model = config.model_config_list.config.add(
        name=name, base_path=base_path, model_platform="tensorflow"
    )
    if version is None:
        model.model_version_policy.latest.num_versions = 1
    else:
        model.model_version_policy.specific.versions.append(version)
    return config


def read(path: str | Path, message: _M) -> _M:
    """Fills the message from a text proto file and returns it.

    Raises:
        BadConfig: the file cannot be read or is no such proto; names file and line.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise BadConfig(str(path), f"cannot be read: {reason}") from error
    try:
        return text_format.Parse(text, message)
    except text_format.ParseError as error:
        name = type(message).__name__
        found = _WHERE.match(str(error))
        where = f"{path}:{found['line']}" if found else str(path)
        what = found["what"] if found else str(error)
        raise BadConfig(where, f"not a {name} in text form: {what.strip()}") from error
