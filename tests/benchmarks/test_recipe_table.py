import json
import sys

import pytest
import table
import watch

MACHINE = {
    "cpu": "Some CPU", "cores": 2, "cpu_flags": ["avx2"], "memory_gib": 8, "python": "3.10.1",
    "tensorflow": "2.16.2", "keras": "3.12.0", "tfx": "1.16.0",
}  # fmt: skip


def a_run(recipe="reviews", seed=1, accuracy=0.8, **more):
    return {
        "recipe": recipe, "seed": seed, "rows": {"train": 8000, "eval": 1000, "test": 1001},
        "train": {"epochs": 2, "batch_size": 32, "learning_rate": 5e-5},
        "metric": "accuracy", "test": accuracy, "seconds": 120.0, "examples_per_s": 30.4,
        "load": {"mean": 2.04, "max": 3.0}, "machine": MACHINE,
        "stages": [
            {"name": "Transform", "seconds": 20.0, "peak_mb": 1234.5},
            {"name": "SchemaGen", "seconds": 0.1, "peak_mb": None},
        ],
    } | more  # fmt: skip


TABLES = {
    "one seed has no spread": (
        [a_run()],
        "| reviews | 8,000 / 1,000 / 1,001 | 2, 32, 5e-05 | 1 | accuracy 0.8000 | 2.0 | 30 | 2.0 |",
    ),
    "several seeds: mean and range": (
        [a_run(), a_run(seed=2, accuracy=0.82)],
        "| 1, 2 | accuracy 0.8100 (0.8000 to 0.8200) | 2.0 (2.0 to 2.0) |",
    ),
    "a stage": ([a_run()], "| Transform | 20.0 | 1,234 |"),
    "a stage shorter than the sampling": ([a_run()], "| SchemaGen | 0.1 |  |"),
    "no memory was sampled": (
        [a_run(stages=[{"name": "Pusher", "seconds": 1.0, "peak_mb": None}])],
        "| **all** | 120.0 |  |",
    ),
    "what is no stage": ([a_run()], "| start, checks, report | 99.9 |  |"),
    "the second run": (
        [a_run(reruns=[{"seconds": 31.0, "executed": ["Evaluator"], "load_mean": 1.0}])],
        "Run 2: 31 s, executed again: Evaluator (load 1.0).",
    ),
    "a cached run": (
        [a_run(reruns=[{"seconds": 4.0, "executed": [], "load_mean": 1.0}] * 2)],
        "Run 3: 4 s, executed again: nothing (load 1.0).",
    ),
    "the machine": ([a_run()], "Some CPU, 2 cores (avx2), 8 GiB; Python 3.10.1, TensorFlow 2.16.2"),
}


@pytest.mark.parametrize(("runs", "line"), TABLES.values(), ids=TABLES.keys())
def test_table(runs, line):
    assert line in table.markdown(runs)


def test_recipes_keep_to_themselves():
    text = table.markdown([a_run("banking77"), a_run("reviews", accuracy=0.9)])
    assert "| banking77 |" in text and "0.8000 to" not in text


def test_watched_command_is_sampled_and_kept(tmp_path):
    command = [
        sys.executable,
        "-c",
        "import time; b = bytearray(60 << 20); time.sleep(2); print(len(b))",
    ]
    found = watch.watch(command, tmp_path / "log")
    found.save(tmp_path / "watched.json")
    again = watch.Watched.load_from(tmp_path / "watched.json")
    assert (tmp_path / "log").read_text() == f"{60 << 20}\n"
    assert again.returncode == 0 and again.load
    assert again.peak_mb(found.started, found.started + found.seconds) > 50
    assert again.peak_mb(0, 1) is None
    assert json.loads((tmp_path / "watched.json").read_text())["returncode"] == 0


def test_failing_command_tells(tmp_path):
    assert (
        watch.watch([sys.executable, "-c", "raise SystemExit(3)"], tmp_path / "log").returncode == 3
    )
