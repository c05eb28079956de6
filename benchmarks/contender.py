"""One contender in a process of its own, driven line by line by `raw_strings.py`.

    python benchmarks/contender.py '{"contender": "onnx_runtime", "folders": {…}, "threads": 1, …}'

A line of JSON in, one out: ``{"scores": [texts]}`` gives scores; ``{"time": [[texts], …], "alone":
false}`` gives the milliseconds of each batch, its texts together or one by one (``alone``).
"""

import importlib
import json
import os
import sys
import time

from driven import say


def main() -> None:
    """Answers until standard input ends."""
    asked = json.loads(sys.argv[1])
    os.sched_setaffinity(0, asked["cores"])  # before any thread pool counts the cores
    os.environ.update(OMP_NUM_THREADS=str(asked["threads"]), TOKENIZERS_PARALLELISM="false")
    if not asked["gpu"]:
        os.environ["CUDA_VISIBLE_DEVICES"] = ""  # or TensorFlow and PyTorch would take one
    module = importlib.import_module(f"contenders.{asked['contender']}")
    answer = module.load(asked["folders"], asked["threads"], asked["max_tokens"])
    say({"ready": True})
    for line in sys.stdin:
        ask = json.loads(line)
        if "scores" in ask:
            say(answer(ask["scores"]).tolist())
        else:
            say([timed(answer, batch, ask["alone"]) for batch in ask["time"]])


def timed(answer, batch: list[str], alone: bool) -> float:
    """Milliseconds of one batch."""
    start = time.perf_counter()
    if alone:
        for text in batch:
            answer([text])
    else:
        answer(batch)
    return round(1000 * (time.perf_counter() - start), 3)


if __name__ == "__main__":
    main()
