"""The same SavedModel in a process with nothing but TensorFlow around it.

    python benchmarks/load_in_process.py VERSION texts.json [THREADS_AN_OP OPS_AT_ONCE]

Reads a line of JSON a measurement (`{"batch": 32, "warm": 1, "seconds": 10}`, or `{"scores": 20}`
for the scores of the first texts), answers with one. Loads the model as TF Serving does, into a
TF 1 Session, and fetches all outputs.
"""

import json
import os
import random
import sys
import time
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import tensorflow as tf
import tensorflow_text  # noqa: F401 - its ops

_SIGNATURE = "serving_default"


class InProcess:
    """A loaded model and the texts to ask it about."""

    def __init__(self, version: str, texts: list[str], intra: int = 0, inter: int = 0) -> None:
        self._texts = [text.encode() for text in texts]
        graph = tf.Graph()
        config = tf.compat.v1.ConfigProto(
            intra_op_parallelism_threads=intra, inter_op_parallelism_threads=inter
        )
        session = tf.compat.v1.Session(graph=graph, config=config)
        with graph.as_default():
            meta = tf.compat.v1.saved_model.load(session, ["serve"], version)
        signature = meta.signature_def[_SIGNATURE]
        self._names = sorted(signature.outputs)
        fetches = [graph.get_tensor_by_name(signature.outputs[name].name) for name in self._names]
        feed = graph.get_tensor_by_name(signature.inputs["text"].name)
        self._run = session.make_callable(fetches, feed_list=[feed])

    def scores(self, count: int) -> list[list[float]]:
        """Of the first texts, one by one."""
        at = self._names.index("scores")
        return [self._run([text])[at][0].tolist() for text in self._texts[:count]]

    def loop(self, batch: int, warm: float, seconds: float) -> dict[str, Any]:
        """Batches of random texts, one after the other; a latency is a batch's."""
        order = random.Random(0)
        begin = time.perf_counter() + warm
        end, latencies = begin + seconds, []
        while (start := time.perf_counter()) < end:
            self._run([self._texts[order.randrange(len(self._texts))] for _ in range(batch)])
            now = time.perf_counter()
            if begin <= now < end:
                latencies.append(round(1000 * (now - start), 3))
        return {"latencies_ms": latencies, "seconds": seconds, "failed": {}}


def main() -> None:
    """Measures until standard input ends."""
    with open(sys.argv[2], encoding="utf-8") as file:
        model = InProcess(sys.argv[1], json.load(file), *map(int, sys.argv[3:]))
    print(json.dumps({"ready": True}), flush=True)
    for line in sys.stdin:
        asked = json.loads(line)
        answer = model.scores(asked["scores"]) if "scores" in asked else model.loop(**asked)
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
