"""Batching by TensorFlow's op, over real sockets: same answers, full queues, bad neighbours."""

import json
import shutil
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import pytest
import tensorflow as tf
from tensorflow_serving.apis import prediction_log_pb2

from serving import tensors
from serving.batching_parameters import Batching
from serving.protos import predict_pb2, prediction_service_pb2_grpc
from serving.rows import rows
from serving.server.main import RunningServer, start
from serving.server.servable import Servable
from serving.server.settings import Loading
from serving.server.warmup import WARMUP_FILE, warm

SLOW_MODEL = Path(__file__).with_name("slow_model.py")
MAX_BATCH = 8


@pytest.fixture(scope="session")
def slow(tmp_path_factory: pytest.TempPathFactory) -> Path:
    base = tmp_path_factory.mktemp("models") / "slow"
    subprocess.run([sys.executable, str(SLOW_MODEL), str(base)], check=True)
    return base


@pytest.fixture(scope="module")
def batching_server(slow: Path) -> Iterator[RunningServer]:
    """Batches of at most 8 rows, one at a time; two may wait."""
    loading = Loading(
        batching=Batching(
            MAX_BATCH, batch_timeout_micros=20_000, max_enqueued_batches=2, num_batch_threads=1
        )
    )
    with start(slow, port=0, rest_port=0, loading=loading, threads=64) as server:
        yield server


Ask = Callable[..., dict[str, np.ndarray]]


@pytest.fixture(scope="module")
def ask(batching_server: RunningServer) -> Iterator[Ask]:
    """ask(signature, input, values, timeout=60): the raw stub, without retries."""
    with grpc.insecure_channel(batching_server.target) as channel:
        stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)

        def call(signature: str, name: str, array: Any, timeout: float = 60) -> dict:
            request = predict_pb2.PredictRequest()
            request.model_spec.name = "slow"
            request.model_spec.signature_name = signature
            request.inputs[name].CopyFrom(tensors.to_proto(array))
            response = stub.Predict(request, timeout=timeout)
            return {key: tensors.to_array(t, key) for key, t in response.outputs.items()}

        yield call


def at_once(calls: list[Callable[[], Any]]) -> list[Any]:
    """Results, or the errors, of calls that start together."""
    together = threading.Barrier(len(calls))

    def one(call: Callable[[], Any]) -> Any:
        together.wait()
        try:
            return call()
        except grpc.RpcError as error:
            return error.code()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(one, calls))


def numbers(*values: int) -> np.ndarray:
    return np.array(values, dtype=np.int32)


@contextmanager
def busy(ask: Ask, rounds: int) -> Iterator[None]:
    """Two requests, of so many products each, are under way: by itself, on the batch thread."""
    with ThreadPoolExecutor(2) as pool:
        asked = []
        for _ in range(2):
            asked.append(pool.submit(ask, "", "rounds", numbers(rounds)))
            time.sleep(0.05)
        yield
    assert [one.result()["rounds"].tolist() for one in asked] == [[rounds]] * 2


def test_requests_that_come_together_run_together(ask: Ask) -> None:
    with busy(ask, 300):
        answers = at_once([lambda: ask("", "rounds", numbers(1)) for _ in range(4)])
    assert max(int(answer["batch"][0]) for answer in answers) > 1
    assert [answer["rounds"].tolist() for answer in answers] == [[1]] * 4


def test_who_comes_alone_does_not_wait_for_company(slow: Path) -> None:
    patient = Batching(MAX_BATCH, batch_timeout_micros=600_000_000, num_batch_threads=2)
    row = {"rounds": numbers(5)}
    servable = Servable(slow / "1", loading=Loading(batching=patient))
    with ThreadPoolExecutor() as pool:
        for _ in range(2):
            pair = [pool.submit(servable.run, "serving_default", row, ["batch"]) for _ in range(2)]
            assert [one.result(timeout=60)["batch"].tolist() for one in pair] == [[1], [1]]
    servable.close()


def test_different_lengths_and_one_larger_than_a_batch_answer_as_alone(ask: Ask) -> None:
    texts = [[b"x" * (length * 37 % 101)] for length in range(MAX_BATCH * 2)]
    texts.append([b"y" * length for length in range(MAX_BATCH * 3)])
    inputs = [tensors.strings(text) for text in texts]
    alone = [rows(ask("spell", "text", text)) for text in inputs]
    with busy(ask, 300):
        together = at_once([lambda text=text: ask("spell", "text", text) for text in inputs])
    assert [rows(answer) for answer in together] == alone


def test_a_full_queue_is_unavailable(ask: Ask, batching_server: RunningServer) -> None:
    def over_rest() -> int:
        url = f"http://127.0.0.1:{batching_server.rest_port}/v1/models/slow:predict"
        body = json.dumps({"instances": [400] * MAX_BATCH}).encode()
        try:
            with urllib.request.urlopen(url, body, timeout=60) as answer:
                return answer.status
        except urllib.error.HTTPError as error:
            assert "queue to which this task was submitted is full" in json.load(error)["error"]
            return error.code

    full = [lambda: ask("", "rounds", numbers(*[400] * MAX_BATCH)) for _ in range(8)]
    with busy(ask, 600):
        answers = at_once([*full, *[over_rest] * 4])
    refused = [one for one in answers if one in (grpc.StatusCode.UNAVAILABLE, 503)]
    answered = [one for one in answers if isinstance(one, dict) or one == 200]
    assert len(refused) + len(answered) == 12
    assert len(refused) >= 12 - 4  # two wait, two may come as the first end
    assert len(answered) >= 2
    assert ask("", "rounds", numbers(1))["rounds"].tolist() == [1]


def test_an_expired_request_does_not_fail_its_neighbours(ask: Ask) -> None:
    def late() -> float:
        started = time.monotonic()
        with pytest.raises(grpc.RpcError) as error:
            ask("", "rounds", numbers(2), timeout=0.2)
        assert error.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
        return time.monotonic() - started

    with busy(ask, 600):
        waited, *answers = at_once([late, *[lambda: ask("", "rounds", numbers(3))] * 3])
    assert waited < 2
    assert [answer["rounds"].tolist() for answer in answers] == [[3]] * 3


def test_a_bad_request_does_not_fail_its_neighbours(ask: Ask) -> None:
    good = [lambda: ask("parse", "number", tensors.strings(["2.5"])) for _ in range(4)]
    with busy(ask, 300):
        bad, *answers = at_once([lambda: ask("parse", "number", tensors.strings(["two"])), *good])
    assert bad is grpc.StatusCode.INVALID_ARGUMENT
    assert [answer["value"].tolist() for answer in answers] == [[2.5]] * 4


def test_a_rest_call_is_answered_at_its_timeout(
    slow: Path, rest_of: Callable[[RunningServer], Callable[..., Any]]
) -> None:
    with start(slow, port=0, rest_port=0, rest_timeout_seconds=0.3) as server:
        ask_rest = rest_of(server)
        path = "/v1/models/slow:predict"
        status, said = ask_rest(path, {"instances": [1500]})
        assert (status, said) == (504, {"error": "Timed out after 0.3 seconds"})
        end = time.monotonic() + 120  # the late graph has to end, and the machine may be busy
        while ask_rest(path, {"instances": [0]})[0] != 200:
            assert time.monotonic() < end


@pytest.mark.parametrize(
    "batching, asked", [(None, 1), (Batching(MAX_BATCH), 2)], ids=["alone", "alone and in company"]
)
def test_warm_up_takes_every_way(
    slow: Path, tmp_path: Path, batching: Batching | None, asked: int
) -> None:
    version = shutil.copytree(slow / "1", tmp_path / "1")
    log = prediction_log_pb2.PredictionLog()
    request = log.predict_log.request
    request.model_spec.signature_name = "count"
    request.inputs["rows"].CopyFrom(tensors.to_proto(numbers(1)))
    file = version / WARMUP_FILE
    file.parent.mkdir()
    with tf.io.TFRecordWriter(str(file)) as writer:
        writer.write(log.SerializeToString())
    servable = Servable(version, loading=Loading(batching=batching))
    assert warm(servable) == 1
    found = servable.run("count", {"rows": numbers(1)}, ["asked"])
    assert found["asked"].tolist() == [asked + 1]
    servable.close()


def test_no_rows_are_answered(ask: Ask) -> None:
    assert ask("spell", "text", tensors.strings([]))["n_letters"].shape == (0,)
