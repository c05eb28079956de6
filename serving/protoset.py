"""Writes TF Serving's protos as a descriptor set, for grpcurl and other clients without code.

python -m serving.protoset serving.protoset
"""

import sys
from pathlib import Path
from typing import Any

from google.protobuf import descriptor_pb2

from serving.protos import bare_tensorflow

with bare_tensorflow():
    from tensorflow_serving.apis import model_service_pb2, prediction_service_pb2


def protoset() -> descriptor_pb2.FileDescriptorSet:
    """PredictionService, ModelService and all that they import, each file before its users."""
    files: dict[str, Any] = {}
    for module in (prediction_service_pb2, model_service_pb2):
        _add(module.DESCRIPTOR, files)
    found = descriptor_pb2.FileDescriptorSet()
    for file in files.values():
        file.CopyToProto(found.file.add())
    return found


def _add(file: Any, files: dict[str, Any]) -> None:
    for needed in file.dependencies:
        _add(needed, files)
    files.setdefault(file.name, file)


if __name__ == "__main__":
    Path(sys.argv[1]).write_bytes(protoset().SerializeToString())
