"""A process of clients that look at every reply: is it right for the version that it names?

    python benchmarks/checked_clients.py 127.0.0.1:8500 tiny texts.json --requests 200000

Raw stubs, no retries. Without --requests it asks until its standard input closes. Prints a line of
JSON every thousand replies, and one at the end that says `"end": true`.
"""

import argparse
import asyncio
import json
import random
import sys
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import numpy as np

from serving import calls
from serving.protos import prediction_service_pb2_grpc

TOLERANCE = 1e-4
_EVERY = 1000
_AFTER_A_FAILURE_S = 0.05
_OPTIONS = [("grpc.use_local_subchannel_pool", 1), ("grpc.max_reconnect_backoff_ms", 200)]


class Asked:
    """What was asked and answered so far.

    Args:
        requests: one for each text.
        expected: scores `[versions, texts, classes]` of the models that take turns: version
            number modulo their number says which; none are compared if there are none.
        total: when to stop; 0 is when told to.
    """

    def __init__(self, requests: list[Any], expected: list[Any], total: int) -> None:
        self.requests, self._expected, self._total = requests, np.array(expected), total
        self.told_to_stop = threading.Event()
        self.started, self.done, self.wrong = 0, 0, 0
        self.versions: Counter[int] = Counter()
        self.failed: Counter[str] = Counter()
        self.latest = 0.0
        self.longest_gap = 0.0

    def goes_on(self) -> bool:
        """Whether to send another request; counts it."""
        self.started += 1
        return not self.told_to_stop.is_set() and not 0 < self._total < self.started

    def take(self, text: int, response: Any) -> None:
        """Looks at a reply."""
        now = time.perf_counter()
        self.longest_gap = max(self.longest_gap, now - (self.latest or now))
        self.latest = now
        version = response.model_spec.version.value
        self.versions[version] += 1
        if len(self._expected):
            right = self._expected[version % len(self._expected), text]
            found = response.outputs["scores"].float_val
            self.wrong += bool(np.abs(np.array(found) - right).max() > TOLERANCE)
        self.done += 1
        if self.done % _EVERY == 0:
            self.tell()

    def tell(self, **more: Any) -> None:
        """Prints a line."""
        print(json.dumps({"done": self.done, **more}), flush=True)

    def end(self) -> None:
        """Prints the last line."""
        self.tell(
            end=True,
            versions=dict(sorted(self.versions.items())),
            failed=dict(self.failed),
            wrong=self.wrong,
            longest_gap_s=round(self.longest_gap, 3),
        )


async def _client(number: int, target: str, asked: Asked) -> None:
    order = random.Random(number)
    async with grpc.aio.insecure_channel(target, options=_OPTIONS) as channel:
        predict = prediction_service_pb2_grpc.PredictionServiceStub(channel).Predict
        while asked.goes_on():
            text = order.randrange(len(asked.requests))
            try:
                response = await predict(asked.requests[text], timeout=60)
            except grpc.RpcError as error:
                asked.failed[f"{error.code().name}: {error.details()}"[:100]] += 1
                await asyncio.sleep(_AFTER_A_FAILURE_S)
            else:
                asked.take(text, response)


def _until_stdin_closes(asked: Asked) -> None:
    sys.stdin.read()
    asked.told_to_stop.set()


async def _all(clients: int, target: str, asked: Asked) -> None:
    await asyncio.gather(*(_client(number, target, asked) for number in range(clients)))


def main() -> None:
    """Asks."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("target")
    parser.add_argument("model")
    parser.add_argument("texts", type=Path, help="a JSON list")
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--requests", type=int, default=0)
    parser.add_argument("--expected", type=Path, help="JSON: scores [versions, texts, classes]")
    given = parser.parse_args()
    texts = json.loads(given.texts.read_text(encoding="utf-8"))
    expected = json.loads(given.expected.read_text()) if given.expected else []
    spec = calls.model_spec(given.model, None)
    requests = [calls.predict_request(spec, [t], calls.DEFAULT_SIGNATURE, ()) for t in texts]
    asked = Asked(requests, expected, given.requests)
    if not given.requests:
        threading.Thread(target=_until_stdin_closes, args=(asked,), daemon=True).start()
    asyncio.run(_all(given.clients, given.target, asked))
    asked.end()


if __name__ == "__main__":
    main()
