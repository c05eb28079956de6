"""How long a single raw string takes, asked one after the other."""

import time

import numpy as np

from serving.client import Client
from serving.validation.report import Finding, Latency

REQUESTS = 50
_WARM_UP = 5


def measure(client: Client, texts: list[bytes], requests: int = REQUESTS) -> Latency:
    """Wall time of `requests` single requests over gRPC, the client's part included."""
    seconds = []
    for number in range(_WARM_UP + requests):
        start = time.perf_counter()
        client.predict_arrays([texts[number % len(texts)]])
        seconds.append(time.perf_counter() - start)
    milliseconds = 1000 * np.array(seconds[_WARM_UP:])
    p50, p99 = np.percentile(milliseconds, [50, 99])
    return Latency(p50_ms=round(float(p50), 3), p99_ms=round(float(p99), 3), requests=requests)


def judge(latency: Latency, limit_ms: float | None) -> list[Finding]:
    """A finding if the median is above the limit; with so few requests a p99 would be a lottery."""
    if limit_ms is None or latency.p50_ms <= limit_ms:
        return []
    return [
        Finding(
            "latency",
            f"a raw string takes {latency.p50_ms:g} ms (median), more than {limit_ms:g} ms",
            "serving_default",
            "Raise serve.latency_ms, or choose a smaller encoder or fewer max_tokens.",
        )
    ]
