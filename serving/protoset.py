"""Writes TF Serving's protos as a descriptor set, for grpcurl and other clients without code.

python -m serving.protoset serving.protoset
"""

import sys
from pathlib import Path
from typing import Any

from google.protobuf import descriptor_pb2

from serving.protos import bare_tensorflow

with bare_tensorflow():
    from tensorflow_serving.apis import (
        classification_pb2,
        get_model_metadata_pb2,
        get_model_status_pb2,
        inference_pb2,
        model_management_pb2,
        predict_pb2,
        regression_pb2,
    )

# What apis/prediction_service.proto and model_service.proto say; protobuf 6 cannot import their
# modules. Method ▶ where its messages are, and what they are called before Request and Response.
_SERVICES = {
    "prediction_service": {
        "Classify": (classification_pb2, "Classification"),
        "Regress": (regression_pb2, "Regression"),
        "Predict": (predict_pb2, "Predict"),
        "MultiInference": (inference_pb2, "MultiInference"),
        "GetModelMetadata": (get_model_metadata_pb2, "GetModelMetadata"),
    },
    "model_service": {
        "GetModelStatus": (get_model_status_pb2, "GetModelStatus"),
        "HandleReloadConfigRequest": (model_management_pb2, "ReloadConfig"),
    },
}


def protoset() -> descriptor_pb2.FileDescriptorSet:
    """PredictionService, ModelService and all that they import, each file before its users."""
    files: dict[str, Any] = {}
    for methods in _SERVICES.values():
        for module, _ in methods.values():
            _add(module.DESCRIPTOR, files)
    found = descriptor_pb2.FileDescriptorSet()
    for file in files.values():
        file.CopyToProto(found.file.add())
    found.file.extend(_service(name, methods) for name, methods in _SERVICES.items())
    return found


def _service(name: str, methods: dict[str, tuple[Any, str]]) -> descriptor_pb2.FileDescriptorProto:
    package = "tensorflow.serving"
    file = descriptor_pb2.FileDescriptorProto(
        name=f"tensorflow_serving/apis/{name}.proto",
        package=package,
        syntax="proto3",
        dependency=[module.DESCRIPTOR.name for module, _ in methods.values()],
    )
    service = file.service.add(name=name.title().replace("_", ""))
    for method, (_, messages) in methods.items():
        service.method.add(
            name=method,
            input_type=f".{package}.{messages}Request",
            output_type=f".{package}.{messages}Response",
        )
    return file


def _add(file: Any, files: dict[str, Any]) -> None:
    for needed in file.dependencies:
        _add(needed, files)
    files.setdefault(file.name, file)


if __name__ == "__main__":
    Path(sys.argv[1]).write_bytes(protoset().SerializeToString())
