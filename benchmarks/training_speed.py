r"""Examples a second in training: ours beside transformers on PyTorch, on the same batches.

    python benchmarks/training_speed.py --peers .venv-bench/bin/python

Both train the same encoder, head, loss and optimizer, dropout on, on batches of like lengths as
rawbert's Trainer makes them, and on the same batches padded to 128. They take turns, each in a
process of its own on the same cores; their losses are compared before anything is timed.
"""

import json
import os
import random
import sys
from datetime import date
from pathlib import Path
from statistics import median
from typing import Any

import click
import load_texts
import machine
import numpy as np
import options
import peer_model
import raw_strings_limit
import untrained
from contenders.word_pieces import tokenizer
from driven import Driven

from trainer.model.config import EncoderConfig

RESULTS = Path(__file__).parent / "results" / "training_speed.json"
TOLERANCE = 1e-4
_HOW = {"learning_rate": 1e-5, "weight_decay": 0.01, "clip_norm": 1.0, "max_tokens": 128}
_ROWS, _TURNS, _EVERY = 32, 4, 4
_OURS, _PEER = "rawbert", "pytorch"
_WIDTHS = {"like lengths": 0, "padded to 128": 128}

Found = dict[str, Any]


@click.command()
@options.peers
@options.recipe
@click.option("--shape", type=click.Choice(untrained.SHAPES), default="MiniLM", show_default=True)
@click.option("--threads", "all_threads", multiple=True, type=int, default=[1, 2])
@click.option("--rounds", type=int, default=3, show_default=True, help="Fresh starts of both.")
@click.option("--work", type=click.Path(path_type=Path), default=Path("out/benchmarks/raw-strings"))
@click.option("--results", type=click.Path(path_type=Path), default=RESULTS, show_default=True)
def main(
    peers: Path,
    recipe: Path,
    shape: str,
    all_threads: tuple[int, ...],
    rounds: int,
    work: Path,
    results: Path,
) -> None:
    """Measure, and write the results."""
    reviews = load_texts.write(recipe, 2000, work / "texts.json")
    folder = peer_model.write(untrained.push(shape, reviews, work / shape), work / shape / "hf")
    batches = work / shape / "batches.json"
    count = _write_batches(reviews, folder, batches)
    found: Found = {
        "date": date.today().isoformat(),
        "shape": shape,
        "machine": machine.describe("tensorflow", "keras"),
        "peers": raw_strings_limit.versions(peers),
        "samples": [],
    }
    for threads in all_threads:
        for number in range(rounds):
            click.echo(f"{shape}, {threads} thread(s), round {number + 1} of {rounds}")
            running = {
                name: _started(name, peers, folder, batches, threads) for name in (_OURS, _PEER)
            }
            try:
                found["loss_differs_by"] = _parity(running, count)
                samples = _timed(running, count, random.Random(number))
            finally:
                for process in running.values():
                    process.stop()
            found["samples"] += [{"threads": threads, "round": number, **one} for one in samples]
            results.write_text(json.dumps(found) + "\n")  # a run that is cut off has its rounds
            results.with_suffix(".md").write_text(markdown(found))
    click.echo(markdown(found))


def _write_batches(texts: list[str], folder: Path, file: Path) -> int:
    """Sorted by length and cut, as `trainer.batches` does; every fourth is enough."""
    arrays = tokenizer(str(folder), _HOW["max_tokens"])(texts)
    lengths = arrays["attention_mask"].sum(1)
    order = np.argsort(lengths, kind="stable")
    batches = [order[i : i + _ROWS] for i in range(0, len(order) - _ROWS + 1, _ROWS)][::_EVERY]
    ids = arrays["input_ids"]
    file.write_text(
        json.dumps([
            ([ids[i, : lengths[i]].tolist() for i in rows], [int(i) % 2 for i in rows])
            for rows in batches
        ])
    )  # fmt: skip
    return len(batches)


def _started(name: str, peers: Path, folder: Path, batches: Path, threads: int) -> Driven:
    width = EncoderConfig.from_json(folder).hidden_size
    asked = {
        "trainer": name,
        "folder": str(folder),
        "batches": str(batches),
        "head": (0.1 * np.cos(np.arange(2 * width))).reshape(width, 2).tolist(),
        "how": _HOW,
        "threads": threads,
        "cores": sorted(os.sched_getaffinity(0))[-threads:],
    }
    return Driven("training_process.py", asked, sys.executable if name == _OURS else str(peers))


def _parity(running: dict[str, Driven], count: int) -> float:
    """The largest difference of a batch's loss before training."""
    worst = 0.0
    for batch in range(count):
        ours, theirs = (running[name].ask({"judge": batch}) for name in (_OURS, _PEER))
        worst = max(worst, abs(ours - theirs))
    click.echo(f"  losses differ by {worst:.1e}")
    if worst > TOLERANCE:
        sys.exit(f"they do not compute the same: losses differ by {worst:.1e}")
    return worst


def _timed(running: dict[str, Driven], count: int, order: random.Random) -> list[dict[str, Any]]:
    entries = [(name, kind) for name in running for kind in _WIDTHS]
    spent: dict[tuple[str, str], list[float]] = {entry: [] for entry in entries}
    for name, kind in entries:  # warm: shapes, pools, the optimizer's state
        running[name].ask({"train": [0, count // 2, count - 1], "width": _WIDTHS[kind]})
    for turn in range(_TURNS):
        for name, kind in order.sample(entries, len(entries)):
            asked = {"train": [*range(turn, count, _TURNS)], "width": _WIDTHS[kind]}
            spent[name, kind] += running[name].ask(asked)
    memory = {name: running[name].ask({"memory": True}) for name in running}
    return [
        {"trainer": name, "batches": kind, "ms": ms, "peak_mb": memory[name]}
        for (name, kind), ms in spent.items()
    ]


def markdown(found: Found) -> str:
    """Medians over the rounds, lowest and highest, and the ratios of each round."""
    lines, one = [], found["machine"]
    for threads in sorted({sample["threads"] for sample in found["samples"]}):
        mine = [sample for sample in found["samples"] if sample["threads"] == threads]
        ours = _speeds(mine, _OURS, "like lengths")
        for name in (_OURS, _PEER):
            memory = max(sample["peak_mb"] for sample in mine if sample["trainer"] == name)
            for kind in _WIDTHS:
                speeds = _speeds(mine, name, kind)
                ratio = median(a / b for a, b in zip(ours, speeds, strict=True))
                lines.append(
                    f"| {threads} | {name} | {kind} | {median(speeds):.1f} ({min(speeds):.1f}–"
                    f"{max(speeds):.1f}) | {ratio:.2f} | {memory:,.0f} |"
                )
    return "\n".join([
        "# Training, measured", "",
        f"{found['shape']}, batches of {_ROWS} reviews, AdamW, dropout, clipping; losses before "
        f"training differ by {found['loss_differs_by']:.0e}.", "",
        "| threads | | batches | examples/s | rawbert on like lengths over it | peak MB |",
        "|---|---|---|---|---|---|", *lines, "",
        f"{one['cpu']} ({', '.join(one['cpu_flags'])}), {one['memory_gib']} GiB; TensorFlow "
        f"{one['tensorflow']}, Keras {one['keras']}; torch {found['peers']['torch']}, transformers "
        f"{found['peers']['transformers']}; {found['date']}.", "",
    ])  # fmt: skip


def _speeds(samples: list[dict[str, Any]], name: str, kind: str) -> list[float]:
    """Examples a second of each round."""
    return [
        1000 * _ROWS * len(sample["ms"]) / sum(sample["ms"])
        for sample in samples
        if (sample["trainer"], sample["batches"]) == (name, kind)
    ]


if __name__ == "__main__":
    main()
