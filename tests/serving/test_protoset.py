"""The descriptor set is whole: a client can be made of it alone."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

from serving.protos import model_service_pb2_grpc, prediction_service_pb2_grpc
from serving.protoset import protoset


def test_a_client_made_of_the_descriptor_set_alone_gets_an_answer(
    server: Any, tmp_path: Path
) -> None:
    file = tmp_path / "serving.protoset"
    subprocess.run([sys.executable, "-m", "serving.protoset", str(file)], check=True)
    files = descriptor_pb2.FileDescriptorSet.FromString(file.read_bytes()).file
    messages = message_factory.GetMessages(files)
    request = messages["tensorflow.serving.PredictRequest"]()
    request.model_spec.name = "tiny"
    text = request.inputs["text"]
    text.dtype = 7  # DT_STRING
    text.tensor_shape.dim.add(size=1)
    text.string_val.append(b"a good film")
    with grpc.insecure_channel(server.target) as channel:
        predict = channel.unary_unary(
            "/tensorflow.serving.PredictionService/Predict",
            request_serializer=lambda message: message.SerializeToString(),
            response_deserializer=messages["tensorflow.serving.PredictResponse"].FromString,
        )
        assert list(predict(request, timeout=30).outputs["label"].string_val) == [b"rotten"]


@pytest.mark.parametrize(
    ("service", "stub"),
    [
        ("PredictionService", prediction_service_pb2_grpc.PredictionServiceServicer),
        ("ModelService", model_service_pb2_grpc.ModelServiceServicer),
    ],
)
def test_each_method_of_the_stubs_is_in_it(service: str, stub: type) -> None:
    pool = descriptor_pool.DescriptorPool()
    for file in protoset().file:
        pool.Add(file)  # whatever it needs must be there
    methods = pool.FindServiceByName(f"tensorflow.serving.{service}").methods_by_name
    assert set(methods) == {name for name in vars(stub) if not name.startswith("_")}
