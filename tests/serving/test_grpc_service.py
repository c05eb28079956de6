"""The real stubs against the embedded server, over a real socket."""

import concurrent.futures
from typing import Any

import grpc
import pytest
import tensorflow as tf
from tensorflow_serving.apis import (
    classification_pb2,
    get_model_metadata_pb2,
    get_model_status_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
    regression_pb2,
)

HARD_TEXTS = ["", "a good film", "é日!", "good " * 20_000, "\0", "🤷‍♀️", "שלום", "\ufffd"]


@pytest.fixture(scope="module")
def channel(server: Any) -> Any:
    with grpc.insecure_channel(server.target) as opened:
        yield opened


@pytest.fixture(scope="module")
def stub(channel: Any) -> prediction_service_pb2_grpc.PredictionServiceStub:
    return prediction_service_pb2_grpc.PredictionServiceStub(channel)


def request(*texts: str | bytes, signature: str = "", **fields: Any) -> predict_pb2.PredictRequest:
    made = predict_pb2.PredictRequest(**fields)
    made.model_spec.name, made.model_spec.signature_name = "tiny", signature
    made.inputs["text"].CopyFrom(tf.make_tensor_proto(list(texts), tf.string, [len(texts)]))
    return made


def example(text: str) -> tf.train.Example:
    made = tf.train.Example()
    made.features.feature["text"].bytes_list.value.append(text.encode())
    return made


def test_predict_echoes_the_spec_and_answers_in_typed_fields(stub: Any) -> None:
    answer = stub.Predict(request("a good film", ""))
    spec = answer.model_spec
    assert (spec.name, spec.version.value, spec.signature_name) == ("tiny", 1, "serving_default")
    assert list(answer.outputs["label"].string_val) == [b"rotten", b"rotten"]
    assert len(answer.outputs["scores"].float_val) == 4
    assert list(answer.outputs["dropped_tokens"].int_val) == [0, 0]
    assert not any(tensor.tensor_content for tensor in answer.outputs.values())


def test_output_filter_runs_and_answers_only_those(stub: Any) -> None:
    answer = stub.Predict(request("a", output_filter=["score", "label"]))
    assert set(answer.outputs) == {"score", "label"}


def test_a_batch_of_no_rows_is_answered(stub: Any) -> None:
    answer = stub.Predict(request())
    assert [dim.size for dim in answer.outputs["scores"].tensor_shape.dim] == [0, 2]


def test_bytes_come_back_as_they_went(stub: Any) -> None:
    sent = [b"\xff\x00", b"", b"\xf0\x9f\x98\x80"]
    answer = stub.Predict(request(*sent, signature="raw"))
    assert list(answer.outputs["same"].string_val) == sent


def test_the_version_may_be_named(stub: Any) -> None:
    asked = request("a")
    asked.model_spec.version.value = 1
    assert stub.Predict(asked).model_spec.version.value == 1


def test_classify(stub: Any) -> None:
    asked = classification_pb2.ClassificationRequest()
    asked.model_spec.name, asked.model_spec.signature_name = "tiny", "classify"
    asked.input.example_list.examples.extend([example("a good film"), tf.train.Example()])
    answer = stub.Classify(asked)
    scores = stub.Predict(request("a good film", "")).outputs["scores"].float_val
    got = [c.score for row in answer.result.classifications for c in row.classes]
    assert got == list(scores)
    assert [c.label for c in answer.result.classifications[0].classes] == ["rotten", "fresh"]
    assert answer.model_spec.signature_name == "classify"


def test_a_context_is_part_of_every_example(stub: Any) -> None:
    asked = regression_pb2.RegressionRequest()
    asked.model_spec.name, asked.model_spec.signature_name = "tiny", "regress"
    asked.input.example_list.examples.append(example("a good film"))
    plain = stub.Regress(asked).result.regressions[0].value
    asked.input.example_list_with_context.context.CopyFrom(example("a good film"))
    asked.input.example_list_with_context.examples.extend([tf.train.Example()] * 2)
    assert [r.value for r in stub.Regress(asked).result.regressions] == [plain, plain]


def test_metadata_names_every_signature(stub: Any) -> None:
    asked = get_model_metadata_pb2.GetModelMetadataRequest(metadata_field=["signature_def"])
    asked.model_spec.name = "tiny"
    answer = stub.GetModelMetadata(asked)
    signatures = get_model_metadata_pb2.SignatureDefMap()
    assert answer.metadata["signature_def"].Unpack(signatures)
    assert set(signatures.signature_def) == {
        "serving_default", "tokenize", "classify", "regress", "numbers", "raw",
        "__saved_model_init_op",
    }  # fmt: skip
    assert signatures.signature_def["classify"].method_name == "tensorflow/serving/classify"
    assert (answer.model_spec.name, answer.model_spec.version.value) == ("tiny", 1)


def test_status(channel: Any) -> None:
    asked = get_model_status_pb2.GetModelStatusRequest()
    asked.model_spec.name = "tiny"
    answer = model_service_pb2_grpc.ModelServiceStub(channel).GetModelStatus(asked)
    (entry,) = answer.model_version_status
    assert (entry.version, entry.state, entry.status.error_code) == (1, 30, 0)


def test_32_at_once_answer_as_one_by_one(client: Any) -> None:
    texts = [(HARD_TEXTS * 4)[i] + " film" * i for i in range(32)]
    one_by_one = [client.predict([text], "tokenize") for text in texts]
    with concurrent.futures.ThreadPoolExecutor(32) as pool:
        at_once = list(pool.map(lambda text: client.predict([text], "tokenize"), texts))
    assert at_once == one_by_one


def test_a_row_is_the_same_whatever_its_neighbours(client: Any) -> None:
    batch = client.predict(HARD_TEXTS, "tokenize")
    assert batch == [client.predict([text], "tokenize")[0] for text in HARD_TEXTS]
