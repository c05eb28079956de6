"""A call whose deadline passes while it waits for a thread is never run."""

from pathlib import Path
from typing import Any

import grpc
import pytest
from error_requests import classify, example, method_of, predict

STEPS = 200_000
"""Seconds of work: long enough for calls behind it to expire."""


@pytest.fixture
def channel(exported_shared: Path) -> Any:
    """To a server with a single thread."""
    from serving.server.main import start

    path = exported_shared / "1"
    with (
        start(path, name="shared", port=0, rest_port=None, threads=1) as server,
        grpc.insecure_channel(server.target) as opened,
    ):
        yield opened


def call(channel: Any, request: Any, timeout: float = 60) -> Any:
    return method_of(request, channel).future(request, timeout=timeout)


def runs(channel: Any) -> int:
    request = predict({}, name="shared", signature="runs")
    return call(channel, request).result().outputs["runs"].int64_val[0]


def test_expired_calls_are_not_run(channel: Any) -> None:
    before = runs(channel)
    serialized = [example(x=1.0).SerializeToString()]
    slow = predict({"inputs": serialized, "steps": STEPS}, name="shared", signature="spin")
    slow.inputs["steps"].dtype = 9
    slow.inputs["steps"].ClearField("int_val")
    slow.inputs["steps"].int64_val.append(STEPS)
    running = call(channel, slow)
    quick = classify({"x": 1.0}, name="shared", signature="classify")
    waiting = [call(channel, quick, timeout=0.05) for _ in range(5)]
    codes = {expired.exception().code() for expired in waiting}
    assert codes == {grpc.StatusCode.DEADLINE_EXCEEDED}
    assert not running.done()
    assert list(running.result().outputs["x"].float_val) == [1.0]
    assert call(channel, quick).result().result.classifications
    assert runs(channel) == before + 2
