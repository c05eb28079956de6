"""Transform on Flink: as many cores as Python workers, a worker a core, the JVM on the same cores.

    python benchmarks/scale_flink.py --rows 1000000 --workers 1 --workers 2 --rounds 2
    taskset -c 1 python benchmarks/scale_flink.py --rows 20000 --workers 1     # a trial

Everything of a run has the first N cores that this process has: the command that composes the
pipeline, Flink's two processes, the job server, and N Python workers, each on a core of its own and
with one TensorFlow thread. So two workers against one is two cores against one, the JVM counted.
"""

import json
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from statistics import mean, median
from typing import Any

import click
import machine
import psutil
import scale_run
import scale_texts

from components import sources
from pipeline.runners.flink.cluster import Cluster

RESULTS = Path(__file__).parent / "results" / "scale_flink.json"
_FIRST = ("TextExampleGen", "StatisticsGen")  # what Transform reads is made in process


@click.command()
@click.option("--rows", "sizes", multiple=True, type=int, default=(1_000_000,))
@click.option("--workers", "several", multiple=True, type=int, default=(1, 2))
@click.option("--rounds", type=int, default=1, show_default=True, help="In turns.")
@click.option("--work", type=click.Path(path_type=Path), default=Path("out/benchmarks/scale"))
@click.option("--results", type=click.Path(path_type=Path), default=RESULTS, show_default=True)
def main(
    sizes: tuple[int, ...], several: tuple[int, ...], rounds: int, work: Path, results: Path
) -> None:
    """Measure Transform with one and with several workers; the results keep every sample."""
    for name in ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"):
        os.environ[name] = "1"
    for rows in sizes:
        folder = work / f"{rows}"
        _prepare(rows, folder)
        for _ in range(rounds):
            for workers in several:
                found = _measure(rows, workers, folder)
                _add(results, found)
                click.echo(_line(found))
    everything = json.loads(results.read_text())
    results.with_suffix(".md").write_text(markdown(everything))
    click.echo("\n".join(_gains(everything)))


def _prepare(rows: int, folder: Path) -> None:
    real_texts = sources.localized(sources.catalogue.entries()["reviews"].source)
    scale_texts.write(real_texts, rows, folder / "texts.csv")
    if not (folder / "statistics").exists():
        for stage in _FIRST:
            scale_run.run(stage, folder, f"{stage}-flink.log")


def _measure(rows: int, workers: int, folder: Path) -> dict[str, Any]:
    mine = sorted(os.sched_getaffinity(0))
    cores = mine[:workers]
    os.sched_setaffinity(0, cores)  # inherited by everything that is started
    cluster = Cluster(folder / "flink", workers=workers)
    try:
        cluster.start()
        os.environ["SCALE_BEAM_ARGS"] = json.dumps([*cluster.beam_args])
        with _pinned_and_counted(cluster, cores) as counted:
            watched, told = scale_run.run("Transform", folder, "Transform-flink.log")
    finally:
        os.environ.pop("SCALE_BEAM_ARGS", None)
        cluster.stop()
        os.sched_setaffinity(0, mine)
    return {
        "rows": rows,
        "workers": workers,
        "cores": cores,
        "seconds": told["seconds"],
        "composing_cpu_seconds": told["cpu_seconds"],
        **counted,
        "load": mean(watched.load),
        "date": date.today().isoformat(),
        "machine": machine.describe("tensorflow", "apache-beam", "tfx"),
    }


@contextmanager
def _pinned_and_counted(cluster: Cluster, cores: list[int]) -> Iterator[dict[str, Any]]:
    """Gives each worker a core as it starts; afterwards CPU seconds and memory by kind."""
    roots = {name: psutil.Process(pid) for name, pid in cluster.processes().items()}
    cpu: dict[int, tuple[str, float]] = {}
    peak = {"jvm": 0.0, "workers": 0.0}
    before = sum(_cpu(process) for name, process in roots.items() if name != "workers")
    ended = threading.Event()

    def look() -> None:
        order: list[int] = []
        while not ended.wait(0.25):
            now = {"jvm": 0.0, "workers": 0.0}
            started = roots["workers"].children()
            for process in [*roots.values(), *started]:
                try:
                    kind = "workers" if process in started else "jvm"
                    if kind == "workers" and process.pid not in order:
                        process.cpu_affinity([cores[len(order) % len(cores)]])
                        order.append(process.pid)
                    if process != roots["workers"]:
                        cpu[process.pid] = (kind, _cpu(process))
                        now[kind] += process.memory_info().rss / 2**20
                except psutil.Error:  # one that has just ended
                    continue
            peak.update({kind: max(peak[kind], mb) for kind, mb in now.items()})

    thread = threading.Thread(target=look, daemon=True)
    counted: dict[str, Any] = {}
    thread.start()
    try:
        yield counted
    finally:
        ended.set()
        thread.join()
        counted["jvm_cpu_seconds"] = sum(s for kind, s in cpu.values() if kind == "jvm") - before
        counted["worker_cpu_seconds"] = [s for kind, s in cpu.values() if kind == "workers"]
        counted["jvm_peak_mb"], counted["workers_peak_mb"] = peak["jvm"], peak["workers"]


def _cpu(process: psutil.Process) -> float:
    times = process.cpu_times()
    return times.user + times.system


def _add(results: Path, found: dict[str, Any]) -> None:
    known = json.loads(results.read_text()) if results.exists() else []
    results.parent.mkdir(parents=True, exist_ok=True)
    results.write_text(json.dumps([*known, found], indent=1) + "\n")


def _line(found: dict[str, Any]) -> str:
    each = ", ".join(f"{seconds:.0f}" for seconds in found["worker_cpu_seconds"])
    return (
        f"{found['rows']:>10,} rows, {found['workers']} workers: {found['seconds']:.1f} s; CPU:"
        f" composing {found['composing_cpu_seconds']:.0f}, JVM {found['jvm_cpu_seconds']:.0f},"
        f" workers {each}; MB: JVM {found['jvm_peak_mb']:,.0f}, workers"
        f" {found['workers_peak_mb']:,.0f}; load {found['load']:.1f}"
    )


def _gains(everything: list[dict[str, Any]]) -> Iterator[str]:
    """Of several workers over one, at each size, by medians."""
    seconds: dict[int, dict[int, list[float]]] = {}
    for found in everything:
        seconds.setdefault(found["rows"], {}).setdefault(found["workers"], []).append(
            found["seconds"]
        )
    for rows, by_workers in sorted(seconds.items()):
        for workers in sorted(by_workers.keys() - {1}):
            if 1 in by_workers:
                gain = median(by_workers[1]) / median(by_workers[workers])
                yield f"{rows:,} rows: {workers} workers are {gain:.2f} times one."


def markdown(everything: list[dict[str, Any]]) -> str:
    """All samples and what several workers gain."""
    one = everything[-1]["machine"]
    lines = [
        f"| {f['rows']:,} | {f['workers']} | {f['seconds']:.1f} |"
        f" {f['composing_cpu_seconds']:.1f} | {f['jvm_cpu_seconds']:.1f} |"
        f" {' + '.join(f'{s:.1f}' for s in f['worker_cpu_seconds'])} |"
        f" {f['jvm_peak_mb']:,.0f} | {f['workers_peak_mb']:,.0f} | {f['load']:.1f} |"
        for f in sorted(everything, key=lambda f: (f["rows"], f["workers"]))
    ]
    return "\n".join(
        (
            "# Transform on Flink",
            "",
            "One core a worker, everything on these cores; seconds without imports of TFX by the"
            " command, but with those of the workers.",
            "",
            "| rows | workers | seconds | CPU s: composing | JVM | workers | MB: JVM | workers |"
            " load |",
            "|---|---|---|---|---|---|---|---|---|",
            *lines,
            "",
            *_gains(everything),
            "",
            f"{one['cpu']}, {one['cores']} cores, {one['memory_gib']} GiB; TensorFlow"
            f" {one['tensorflow']}, Beam {one['apache-beam']}, TFX {one['tfx']};"
            f" {everything[-1]['date']}.",
            "",
        )
    )


if __name__ == "__main__":
    main()
