"""More than the server takes, over gRPC and REST: refused with the right code, and it lives."""

import concurrent.futures
import json
from collections.abc import Iterator
from typing import Any

import grpc
import pytest
from error_requests import ask, example, method_of, post, predict, stating

MESSAGE_BYTES = 64 << 20


@pytest.fixture(scope="module")
def channel(server: Any) -> Iterator[grpc.Channel]:
    unlimited = [("grpc.max_send_message_length", -1), ("grpc.max_receive_message_length", -1)]
    with grpc.insecure_channel(server.target, options=unlimited) as opened:
        yield opened


@pytest.fixture(autouse=True)
def lives(channel: grpc.Channel) -> Iterator[None]:
    yield
    answer = method_of(predict({}), channel)(predict({"text": ["a"]}), timeout=60)
    assert list(answer.outputs["label"].string_val) == [b"rotten"]


def refused(channel: grpc.Channel, request: Any) -> tuple[str, str]:
    with pytest.raises(grpc.RpcError) as caught:
        method_of(request, channel)(request, timeout=60)
    return caught.value.code().name, caught.value.details()


def test_a_message_too_large(channel: grpc.Channel) -> None:
    code, says = refused(channel, predict({"text": [b"a" * MESSAGE_BYTES]}, signature="raw"))
    assert code == "RESOURCE_EXHAUSTED"
    assert "larger than max" in says


def test_a_message_that_just_fits(channel: grpc.Channel) -> None:
    request = predict({"text": [b"a" * (MESSAGE_BYTES - 1024)]}, ("same",), signature="raw")
    answer = method_of(request, channel)(request, timeout=120)
    assert len(answer.outputs["same"].string_val[0]) == MESSAGE_BYTES - 1024


SHAPES = {
    "a dimension": (1 << 62,),
    "dimensions whose product overflows": (1 << 32, 1 << 32),
    "many dimensions": (2,) * 64,
    "more copies than anybody sends": (1 << 25,),
}


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES.keys())
def test_a_shape_of_lies(channel: grpc.Channel, shape: tuple[int, ...]) -> None:
    code, says = refused(channel, predict({"text": stating(*shape)}))
    assert (code, "tensor parsing error: text" in says) == ("INVALID_ARGUMENT", True)


@pytest.mark.parametrize("rank", [33, 100])
def test_more_dimensions_than_arrays_have(channel: grpc.Channel, rank: int) -> None:
    code, _ = refused(channel, predict({"text": stating(*[1] * rank)}))
    assert code == "INVALID_ARGUMENT"


NAMES = ["..", "../../etc/passwd", "/", "a/b", "\0", "a\nb", "‮tiny", "日本", "a" * 100_000]


@pytest.mark.parametrize("name", NAMES, ids=[repr(name[:20]) for name in NAMES])
def test_odd_names_are_names_of_no_model(channel: grpc.Channel, name: str) -> None:
    code, says = refused(channel, predict({"text": ["a"]}, name=name))
    assert code == "NOT_FOUND"
    assert len(says) < 1100


def test_bytes_that_are_no_message(channel: grpc.Channel) -> None:
    call = channel.unary_unary("/tensorflow.serving.PredictionService/Predict")
    with pytest.raises(grpc.RpcError) as caught:
        call(b"\xff" * 100, timeout=60)
    assert caught.value.code() is grpc.StatusCode.INTERNAL


def test_a_method_that_nobody_has(channel: grpc.Channel) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        channel.unary_unary("/tensorflow.serving.PredictionService/Explain")(b"", timeout=60)
    assert caught.value.code() is grpc.StatusCode.UNIMPLEMENTED


def test_calls_cancelled_half_way(channel: grpc.Channel) -> None:
    request = predict({"text": ["good " * 10_000] * 20}, signature="tokenize")
    for _ in range(20):
        method_of(request, channel).future(request, timeout=60).cancel()


def test_channels_closed_half_way(server: Any) -> None:
    request = predict({"text": ["good " * 10_000] * 20}, signature="tokenize")
    for _ in range(10):
        with grpc.insecure_channel(server.target) as opened:
            method_of(request, opened).future(request, timeout=60)


def test_rest_requests_beyond_those_that_may_wait(shared_server: Any) -> None:
    from serving.server.listen import RestServer, bound_socket
    from serving.server.rest import application

    listening = bound_socket("127.0.0.1", 0, "--rest-port")
    app = application(shared_server.models, 1, max_waiting=1)
    running = RestServer(app, listening, 1.0)
    port = listening.getsockname()[1]
    slow = post("shared:predict", spin(steps=100_000))
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: ask(port, slow), range(8)))
    quick = ask(port, post("shared:predict", spin(steps=1)))
    running.stop()
    statuses = [status for status, _ in answers]
    assert set(statuses) == {200, 503}
    assert "wait for a thread" in json.loads(answers[statuses.index(503)][1])["error"]
    assert quick[0] == 200


def spin(steps: int) -> dict[str, Any]:
    from base64 import b64encode

    serialized = b64encode(example(x=1.0).SerializeToString()).decode()
    inputs = {"inputs": [{"b64": serialized}], "steps": steps}
    return {"signature_name": "spin", "inputs": inputs}
