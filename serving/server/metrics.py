"""Counts and latencies of requests, in Prometheus's text format under TF Serving's names.

Names, labels and buckets: tensorflow_serving/servables/tensorflow/util.cc; how names are written:
tensorflow_serving/util/prometheus_exporter.cc. A client library for Prometheus would add suffixes
that dashboards made for TF Serving do not know.
"""

import bisect
import threading
from collections.abc import Iterator

COUNT = ":tensorflow:serving:request_count"
LATENCY = ":tensorflow:serving:request_latency"
# Exponential from 10 microseconds by 1.8, 33 buckets with that of all above: about 20 minutes.
BOUNDS = tuple(10 * 1.8**power for power in range(32))


class Metrics:
    """Counters by model and status, histograms by model, API and entrypoint."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: dict[tuple[str, str], int] = {}
        self._latencies: dict[tuple[str, str, str], _Histogram] = {}

    def observe(
        self, model: str, api: str, entrypoint: str, status: str, microseconds: float
    ) -> None:
        """Counts a request; only those that were answered OK have a latency, as in TF Serving.

        Args:
            model: the model's name; of unknown models nothing is kept, for clients choose names.
            api: Predict, Classify, Regress, MultiInference; in small letters over REST.
            entrypoint: GRPC or REST.
            status: the canonical code's name.
            microseconds: from the request's arrival at the handler to its answer.
        """
        with self._lock:
            key = (model, status)
            self._counts[key] = self._counts.get(key, 0) + 1
            if status == "OK":
                histogram = self._latencies.setdefault((model, api, entrypoint), _Histogram())
                histogram.add(microseconds)

    def text(self) -> str:
        """All metrics in the text exposition format 0.0.4."""
        with self._lock:
            return "".join(line + "\n" for line in self._lines())

    def _lines(self) -> Iterator[str]:
        yield f"# TYPE {COUNT} counter"
        for (model, status), count in sorted(self._counts.items()):
            yield f'{COUNT}{{model_name="{_escaped(model)}",status="{status}"}} {count}'
        yield f"# TYPE {LATENCY} histogram"
        for (model, api, entrypoint), histogram in sorted(self._latencies.items()):
            labels = f'model_name="{_escaped(model)}",API="{api}",entrypoint="{entrypoint}"'
            yield from histogram.lines(LATENCY, labels)


class _Histogram:
    def __init__(self) -> None:
        self.counts = [0] * (len(BOUNDS) + 1)
        self.sum = 0.0

    def add(self, value: float) -> None:
        self.counts[bisect.bisect_left(BOUNDS, value)] += 1
        self.sum += value

    def lines(self, name: str, labels: str) -> Iterator[str]:
        total = 0
        for bound, count in zip([*map(repr, BOUNDS), "+Inf"], self.counts, strict=True):
            total += count
            yield f'{name}_bucket{{{labels},le="{bound}"}} {total}'
        yield f"{name}_sum{{{labels}}} {self.sum!r}"
        yield f"{name}_count{{{labels}}} {total}"


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
