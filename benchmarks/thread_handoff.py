"""What a second thread costs and gains for one op: TensorFlow's threads sleep between two ops.

    python benchmarks/thread_handoff.py

Microseconds of a softmax, which is small, and of the encoder's widest product, for texts of several
lengths, with one thread and with two. A peer whose threads spin has no such cost.
"""

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator

_PIECES = (8, 24, 64, 128, 512)
_WIDTHS = (384, 768)
_OPS, _RUNS = 24, 60


def main() -> None:
    """Runs itself with one and with two threads; prints a Markdown table."""
    found = {threads: _measured(threads) for threads in (1, 2)}
    print("| op | one thread, µs | two threads, µs |\n|---|---|---|")
    for name, microseconds in found[1].items():
        print(f"| {name} | {microseconds:.0f} | {found[2][name]:.0f} |")


def _measured(threads: int) -> dict[str, float]:
    """In a process of its own: a process has one set of threads."""
    settings = {"TF_NUM_INTRAOP_THREADS": str(threads), "TF_NUM_INTEROP_THREADS": "1"}
    told = subprocess.check_output(
        [sys.executable, __file__, "ops"],
        stderr=subprocess.DEVNULL,
        env={**os.environ, **settings, "TF_CPP_MIN_LOG_LEVEL": "3"},
    )
    return json.loads(told.splitlines()[-1])


def ops() -> Iterator[tuple[str, float]]:
    """Each op's name and the microseconds it takes among others of its kind."""
    import tensorflow as tf

    for pieces in _PIECES:
        scores = tf.random.normal([12 * pieces, pieces])
        yield f"softmax, {pieces} pieces", _each(tf.nn.softmax, scores)
    for width in _WIDTHS:
        kernels = [tf.Variable(tf.random.normal([width, 4 * width])) for _ in range(_OPS)]
        for pieces in _PIECES:
            x = tf.random.normal([pieces, width])
            product = iter(kernels * 2)
            each = _each(lambda x, weights=product: tf.matmul(x, next(weights)), x)
            yield f"product {pieces} × {width} × {4 * width}", each


def _each(op, x) -> float:
    import tensorflow as tf

    @tf.function(autograph=False)
    def many(x):
        # Each waits for the one before, as a layer's do.
        for _ in range(_OPS):
            x = x + 1e-9 * op(x)[:1, :1]
        return x

    samples = []
    for _ in range(_RUNS):
        started = time.perf_counter()
        many(x)
        samples.append(1e6 * (time.perf_counter() - started) / _OPS)
    return statistics.median(samples)


if __name__ == "__main__":
    if sys.argv[1:]:
        print(json.dumps(dict(ops())))
    else:
        main()
