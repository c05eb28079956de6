"""A process of clients in a closed loop: each sends one raw string, waits, sends the next.

    python benchmarks/load_clients.py grpc 127.0.0.1:8500 reviews texts.json --clients 32

Raw stubs over gRPC, plain HTTP for servers that speak that; no retries, a connection a client.
Prints one line of JSON: the answers that came within the time, and what failed.
"""

import argparse
import asyncio
import json
import random
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import grpc
import grpc.aio

from serving import calls
from serving.protos import prediction_service_pb2_grpc

_OWN_CONNECTION = [("grpc.use_local_subchannel_pool", 1)]
_TIMEOUT_S = 300.0

Ask = Callable[[int], Awaitable[None]]


class OverGrpc:
    """Predict, with requests that were built before."""

    def __init__(self, target: str, model: str, texts: list[str]) -> None:
        self._target, spec = target, calls.model_spec(model, None)
        self._requests = [
            calls.predict_request(spec, [text], calls.DEFAULT_SIGNATURE, ()) for text in texts
        ]

    async def __aenter__(self) -> "OverGrpc":
        return self

    async def __aexit__(self, *_: object) -> None:
        pass

    def connect(self) -> Ask:
        """A client's own channel."""
        channel = grpc.aio.insecure_channel(self._target, options=_OWN_CONNECTION)
        predict = prediction_service_pb2_grpc.PredictionServiceStub(channel).Predict

        async def ask(text: int) -> None:
            await predict(self._requests[text], timeout=_TIMEOUT_S)

        return ask


class OverHttp:
    """POST with bodies that were built before; `form` says which server's API it is."""

    def __init__(self, target: str, model: str, texts: list[str], form: str) -> None:
        bodies = {
            "infinity": lambda text: {"model": model, "input": [text]},
            "rest": lambda text: {"instances": [text]},
        }
        paths = {"infinity": "/classify", "rest": f"/v1/models/{model}:predict"}
        self._url = f"http://{target}{paths[form]}"
        self._bodies = [json.dumps(bodies[form](text)).encode() for text in texts]

    async def __aenter__(self) -> "OverHttp":
        import aiohttp

        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0),
            headers={"Content-Type": "application/json"},
            timeout=aiohttp.ClientTimeout(_TIMEOUT_S),
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._session.close()

    def connect(self) -> Ask:
        """A client; connections are kept alive, one for each that is in use."""

        async def ask(text: int) -> None:
            async with self._session.post(self._url, data=self._bodies[text]) as response:
                answer = await response.read()
                if response.status != 200:
                    raise RuntimeError(f"HTTP {response.status}: {answer[:200]!r}")
                json.loads(answer)

        return ask


async def closed_loop(
    door: OverGrpc | OverHttp, texts: int, clients: int, warm: float, seconds: float
) -> dict[str, Any]:
    """Runs the clients; what is answered in the first `warm` seconds is not counted."""
    begin = time.perf_counter() + warm
    end = begin + seconds
    latencies: list[float] = []
    failed: Counter[str] = Counter()

    async def client(number: int) -> None:
        ask, order = door.connect(), random.Random(number)
        while (start := time.perf_counter()) < end:
            try:
                await ask(order.randrange(texts))
            except Exception as error:
                failed[_kind(error)] += 1
                continue
            now = time.perf_counter()
            if begin <= now < end:
                latencies.append(round(1000 * (now - start), 3))

    async with door:
        await asyncio.gather(*(client(number) for number in range(clients)))
    return {"latencies_ms": latencies, "seconds": seconds, "failed": dict(failed)}


def _kind(error: Exception) -> str:
    if isinstance(error, grpc.RpcError):
        return str(error.code().name)
    return f"{type(error).__name__}: {error}"[:200]


def main() -> None:
    """Runs one measurement."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("kind", choices=["grpc", "rest", "infinity"])
    parser.add_argument("target")
    parser.add_argument("model")
    parser.add_argument("texts", type=Path, help="a JSON list")
    parser.add_argument("--clients", type=int, default=1)
    parser.add_argument("--warm", type=float, default=1.0, help="seconds before counting")
    parser.add_argument("--seconds", type=float, default=10.0)
    given = parser.parse_args()
    texts = json.loads(given.texts.read_text(encoding="utf-8"))
    door: OverGrpc | OverHttp
    if given.kind == "grpc":
        door = OverGrpc(given.target, given.model, texts)
    else:
        door = OverHttp(given.target, given.model, texts, given.kind)
    loop = closed_loop(door, len(texts), given.clients, given.warm, given.seconds)
    print(json.dumps(asyncio.run(loop)))


if __name__ == "__main__":
    main()
