r"""Raw strings to scores, ours beside what a user would pick instead.

    python benchmarks/raw_strings.py --peers .venv-bench/bin/python

Every contender is a process of its own, on the same cores, asked in turns about the same texts with
the same weights. Scores are compared before anything is timed; processes start anew every round.
`raw_strings_table.py` makes the table and the plot.
"""

import json
import random
import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import click
import load_texts
import machine
import numpy as np
import options
import raw_string_texts
import raw_strings_limit
import raw_strings_plot
import raw_strings_table
import untrained
from raw_strings_process import BFLOAT16, CONTENDERS, Running, prepare, started

RESULTS = Path(__file__).parent / "results" / "raw_strings.json"
MAX_TOKENS = 128
TOLERANCE, TOLERANCE_OF_GPU = 1e-5, 2e-3  # a GPU multiplies in TF32
_TURNS = 4
# How many batches of a size are timed in a round.
_COUNT = {"MiniLM": {1: 64, 8: 8, 32: 4, 128: 2}, "BERT-base": {1: 16, 8: 2, 32: 2, 128: 1}}

Sample = dict[str, Any]


@click.command()
@options.peers
@options.recipe
@click.option(
    "--shape",
    "shapes",
    multiple=True,
    type=click.Choice(untrained.SHAPES),
    default=untrained.SHAPES,
)
@click.option(
    "--texts",
    "kinds",
    multiple=True,
    type=click.Choice(raw_string_texts.LENGTHS),
    default=raw_string_texts.LENGTHS,
)
@click.option("--batch", "sizes", multiple=True, type=int, default=[1, 8, 32, 128])
@click.option("--threads", "all_threads", multiple=True, type=int, default=[1, 2])
@click.option("--rounds", type=int, default=3, show_default=True, help="Fresh starts of all.")
@click.option("--gpu", is_flag=True, help="The contenders that can use one have it.")
@click.option("--only", multiple=True, type=click.Choice([one.name for one in CONTENDERS]))
@click.option("--work", type=click.Path(path_type=Path), default=Path("out/benchmarks/raw-strings"))
@click.option("--results", type=click.Path(path_type=Path), default=RESULTS, show_default=True)
def main(
    peers: Path,
    recipe: Path,
    shapes: tuple[str, ...],
    kinds: tuple[str, ...],
    sizes: tuple[int, ...],
    all_threads: tuple[int, ...],
    rounds: int,
    gpu: bool,
    only: tuple[str, ...],
    work: Path,
    results: Path,
) -> None:
    """Measure, and write the results."""
    tolerance = TOLERANCE_OF_GPU if gpu else TOLERANCE
    work.mkdir(parents=True, exist_ok=True)
    reviews = load_texts.write(recipe, 2000, work / "texts.json")
    texts = {k: v for k, v in raw_string_texts.workloads(reviews).items() if k in kinds}
    able = [one for one in CONTENDERS if one.gpu or not gpu]
    chosen = [one for one in able if not only or one.name in only]
    found: dict[str, Any] = {"date": date.today().isoformat(), "parity": {}, "samples": []}
    if gpu:
        try:
            found["gpu"] = machine.gpu()
        except OSError as error:
            raise click.UsageError(f"--gpu: no GPU's driver on this machine ({error})") from error
    for shape in shapes:
        folders = prepare(shape, untrained.push(shape, reviews, work / shape), peers, work / shape)
        if any(one.name == BFLOAT16 for one in chosen):
            folders["bfloat16"] = str(untrained.push(shape, reviews, work / shape, "bfloat16"))
        for threads in all_threads:
            limit = raw_strings_limit.measure(peers, threads, folders["hf"])
            found.setdefault("limits", {})[f"{shape}, {threads}"] = limit
            for number in range(rounds):
                click.echo(f"{shape}, {threads} thread(s), round {number + 1} of {rounds}")
                with started(chosen, folders, peers, threads, MAX_TOKENS, gpu) as running:
                    if number == 0:
                        found["parity"][f"{shape}, {threads}"] = parity(running, texts, tolerance)
                    where = {"shape": shape, "threads": threads, "round": number}
                    timed = cells(running, texts, sizes, _COUNT[shape], number)
                    found["samples"] += [{**where, **sample} for sample in timed]
                save(found, results, folders["hf"], texts, peers)
    click.echo(raw_strings_table.markdown(found))


def parity(
    running: list[Running], texts: dict[str, list[str]], tolerance: float
) -> dict[str, float]:
    """Each contender's largest difference of a score from ours, in a batch and one by one.

    Raises:
        SystemExit: one that computes in float32 is off by more than the tolerance.
    """
    asked = [text for some in texts.values() for text in some[:12]] + ["", "na\u00efve"]
    ours = np.array(running[0].scores(asked))
    differences = {}
    for one in running:
        batch, alone = one.scores(asked), [one.scores([text])[0] for text in asked]
        worst = max(float(np.abs(ours - np.array(scores)).max()) for scores in (batch, alone))
        differences[one.contender.name] = worst
        click.echo(f"  {one.contender.name:20} scores off by {worst:.1e}")
        if one.contender.exact and worst > tolerance:
            sys.exit(f"{one.contender.name} does not compute the same: {worst:.1e}")
    return differences


def cells(
    running: list[Running],
    texts: dict[str, list[str]],
    sizes: tuple[int, ...],
    counts: dict[int, int],
    seed: int,
) -> Iterator[Sample]:
    """All texts and sizes of batch; the contenders in turns, each time in another order."""
    order = random.Random(seed)
    for kind, all_texts in texts.items():
        for size in sizes:
            batches = raw_string_texts.batches(all_texts, size, counts[size])
            entries = [
                (one, alone)
                for one in running
                for alone in ((False, True) if size == 32 and one.contender.pads else (False,))
            ]
            samples: dict[tuple[str, bool], list[float]] = {}
            for one, alone in entries:  # warm: pools, compiled code, and kernels for each length
                one.time(batches, alone)
            for turn in range(_TURNS):
                for one, alone in order.sample(entries, len(entries)):
                    taken = one.time(batches[turn::_TURNS], alone)
                    samples.setdefault((one.contender.name, alone), []).extend(taken)
            click.echo(f"  {kind}, {size} a batch")
            for (name, alone), ms in samples.items():
                yield {"texts": kind, "batch": size, "contender": name, "alone": alone, "ms": ms}


def save(
    found: dict[str, Any], results: Path, hf: str, texts: dict[str, list[str]], peers: Path
) -> None:
    """Writes what is known so far: a run of an hour that is cut off has its first rounds."""
    found["machine"] = machine.describe("tensorflow", "tensorflow-text", "keras")
    found["peers"] = raw_strings_limit.versions(peers)
    found["pieces"] = raw_strings_limit.pieces(hf, texts, MAX_TOKENS)
    results.parent.mkdir(parents=True, exist_ok=True)
    results.write_text(json.dumps(found) + "\n")
    results.with_suffix(".md").write_text(raw_strings_table.markdown(found))
    raw_strings_plot.write(found, results.with_suffix(".svg"))


if __name__ == "__main__":
    main()
