"""TF Serving's protos and stubs, without TensorFlow around them.

The generated modules import `tensorflow.core…`, and importing any part of TensorFlow runs all of
it: seconds of CPU before a client can ask its first question. The protos need none of that, so they
are imported here under a bare stand-in for the package, which is taken away again; a real
`import tensorflow` works before and after.
"""

import contextlib
import importlib.util
import sys
import types
from collections.abc import Iterator


@contextlib.contextmanager
def bare_tensorflow() -> Iterator[None]:
    """Generated protos of TensorFlow can be imported in here without running TensorFlow."""
    spec = None if "tensorflow" in sys.modules else importlib.util.find_spec("tensorflow")
    if spec is None or spec.submodule_search_locations is None:
        yield
        return
    package = types.ModuleType("tensorflow")
    package.__path__ = list(spec.submodule_search_locations)
    sys.modules["tensorflow"] = package
    try:
        yield
    finally:
        del sys.modules["tensorflow"]


with bare_tensorflow():
    from tensorflow.core.framework import tensor_pb2, types_pb2
    from tensorflow_serving.apis import (
        get_model_status_pb2,
        model_pb2,
        model_service_pb2_grpc,
        predict_pb2,
        prediction_service_pb2_grpc,
    )
    from tensorflow_serving.config import model_server_config_pb2

__all__ = [
    "get_model_status_pb2",
    "model_pb2",
    "model_server_config_pb2",
    "model_service_pb2_grpc",
    "predict_pb2",
    "prediction_service_pb2_grpc",
    "tensor_pb2",
    "types_pb2",
]
