"""One framework's training in a process of its own, driven line by line by `training_speed.py`.

    python benchmarks/training_process.py '{"trainer": "rawbert", "batches": "batches.json", …}'

A line of JSON in, one out: ``{"judge": 0}`` gives the loss of a batch, nothing learned;
``{"train": [0, 1], "width": 0}`` the milliseconds of a step on each of these batches, padded to its
longest row or to ``width``; ``{"memory": true}`` the most MB that this process has had.
"""

import importlib
import json
import os
import resource
import sys
import time
from typing import Any

from driven import say

Rows = list[list[int]]


def main() -> None:
    """Answers until standard input ends."""
    asked = json.loads(sys.argv[1])
    os.sched_setaffinity(0, asked["cores"])  # before any thread pool counts the cores
    os.environ.update(OMP_NUM_THREADS=str(asked["threads"]), CUDA_VISIBLE_DEVICES="")
    import numpy as np

    with open(asked["batches"], encoding="utf-8") as file:
        batches = json.load(file)
    head = np.array(asked["head"], np.float32)
    trainer = importlib.import_module(f"trainers.{asked['trainer']}")
    train, judge = trainer.load(asked["folder"], head, asked["how"], asked["threads"])
    say({"ready": True})
    for line in sys.stdin:
        ask = json.loads(line)
        if "judge" in ask:
            say(judge(padded(*batches[ask["judge"]], 0)))
        elif "train" in ask:
            say([timed(train, padded(*batches[one], ask["width"])) for one in ask["train"]])
        else:
            say(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


def padded(ids: Rows, labels: list[int], width: int) -> dict[str, Any]:
    """A batch's arrays, [rows, tokens] and [rows] int32; width 0: its longest row."""
    import numpy as np

    width = width or max(map(len, ids))
    arrays = np.zeros([2, len(ids), width], np.int32)
    for row, some in enumerate(ids):
        arrays[0, row, : len(some)] = some
        arrays[1, row, : len(some)] = 1
    return {
        "input_word_ids": arrays[0],
        "input_mask": arrays[1],
        "input_type_ids": np.zeros_like(arrays[0]),
        "label": np.array(labels, np.int32),
    }


def timed(train, batch: dict[str, Any]) -> float:
    """Milliseconds of one step; the batch is made before, as an input pipeline does it."""
    start = time.perf_counter()
    train(batch)
    return round(1000 * (time.perf_counter() - start), 2)


if __name__ == "__main__":
    main()
