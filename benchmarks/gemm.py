"""What the CPU gives: the fastest dense product of these shapes, in GFLOP/s.

    python benchmarks/gemm.py --threads 1

Runs with NumPy alone or with PyTorch, whichever is there, and so in both environments; the limit
is the best of all that was seen.
"""

import argparse
import json
import os
import time


def main() -> None:
    """Prints one line of JSON: GFLOP/s by shape."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--width", type=int, default=384)
    parser.add_argument("--seconds", type=float, default=1.0, help="a shape")
    given = parser.parse_args()
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[-given.threads :])
    shapes = [(rows, given.width, 4 * given.width) for rows in (32, 256, 1024)]
    print(json.dumps({"x".join(map(str, s)): gflops(s, given) for s in shapes}))


def gflops(shape: tuple[int, int, int], given: argparse.Namespace) -> float:
    """Of the fastest product among those that fit into the time."""
    rows, inner, columns = shape
    multiply, best = product(rows, inner, columns, given.threads), float("inf")
    end = time.perf_counter() + given.seconds
    while (start := time.perf_counter()) < end:
        multiply()
        best = min(best, time.perf_counter() - start)
    return round(2e-9 * rows * inner * columns / best, 1)


def product(rows: int, inner: int, columns: int, threads: int):
    """A function that multiplies [rows, inner] by [inner, columns] in float32."""
    try:
        import torch
    except ImportError:
        os.environ["OPENBLAS_NUM_THREADS"] = str(threads)
        import numpy as np

        a, b = np.ones([rows, inner], np.float32), np.ones([inner, columns], np.float32)
        out = np.empty([rows, columns], np.float32)
        return lambda: np.matmul(a, b, out=out)
    torch.set_num_threads(threads)
    a, b = torch.ones(rows, inner), torch.ones(inner, columns)
    out = torch.empty(rows, columns)
    return lambda: torch.mm(a, b, out=out)


if __name__ == "__main__":
    main()
