"""From the start of a server's process to its first answer, and that answer beside the 100th.

    python benchmarks/serving_start.py out/reviews/serving/reviews

Each start is a new process; warm-up requests of the model are on and off in turn. Times are wall
seconds, CPU is the server's process alone.
"""

import json
import time
from datetime import date
from pathlib import Path
from statistics import median
from typing import Any

import click
import machine
import psutil

from serving.client import Client
from serving.server.process import spawn

RESULTS = Path(__file__).parent / "results" / "serving_start.json"
_TEXT = "Two hours of my life that I will never get back."
_REQUESTS = 100
_FLAGS = {"with warm-up": (), "without": ("--enable_model_warmup=false",)}


@click.command()
@click.argument("model", type=click.Path(exists=True, path_type=Path))
@click.option("--starts", type=int, default=5, show_default=True)
@click.option("--results", type=click.Path(path_type=Path), default=RESULTS, show_default=True)
def main(model: Path, starts: int, results: Path) -> None:
    """Start a server of MODEL again and again."""
    found: dict[str, Any] = {
        "date": date.today().isoformat(),
        "model": model.name,
        "starts": {name: [] for name in _FLAGS},
        "machine": machine.describe("tensorflow", "tensorflow-text", "grpcio"),
    }
    for turn in range(starts):
        for name, flags in _FLAGS.items():
            told = _start(model, flags)
            found["starts"][name].append(told)
            click.echo(f"start {turn + 1}, {name}: {json.dumps(told)}", err=True)
    results.parent.mkdir(parents=True, exist_ok=True)
    results.write_text(json.dumps(found, indent=1) + "\n")
    results.with_suffix(".md").write_text(markdown(found))
    click.echo(markdown(found))


def _start(model: Path, flags: tuple[str, ...]) -> dict[str, float]:
    begin = time.perf_counter()
    with spawn(model, name="model", flags=flags) as server:
        ready = time.perf_counter() - begin
        process = psutil.Process(server.pid)
        used = process.cpu_times()
        with Client(server.target, name="model", timeout=60) as client:
            connected = time.perf_counter()
            client.status()  # opens the connection, which is no part of a request
            connect_ms = 1000 * (time.perf_counter() - connected)
            spent = [_asked(client) for _ in range(_REQUESTS)]
        return {
            "ready_s": round(ready, 2),
            "ready_cpu_s": round(used.user + used.system, 2),
            "first_answer_s": round(ready + (connect_ms + spent[0]) / 1000, 2),
            "connect_ms": round(connect_ms, 2),
            "first_ms": round(spent[0], 2),
            "last_ten_ms": round(median(spent[-10:]), 2),
            "rss_mb": round(process.memory_info().rss / 2**20),
        }


def _asked(client: Client) -> float:
    """Milliseconds of one text."""
    start = time.perf_counter()
    client.predict([_TEXT])
    return 1000 * (time.perf_counter() - start)


def markdown(found: dict[str, Any]) -> str:
    """Medians, with the lowest and highest start."""
    columns = (
        "ready_s", "ready_cpu_s", "first_answer_s",
        "connect_ms", "first_ms", "last_ten_ms", "rss_mb",
    )  # fmt: skip
    rows = [
        f"| {name} | " + " | ".join(_spread([one[key] for one in starts]) for key in columns) + " |"
        for name, starts in found["starts"].items()
    ]
    one, count = found["machine"], len(next(iter(found["starts"].values())))
    return "\n".join([
        "# A server's start, measured", "",
        f"Model {found['model']}; medians of {count} start(s), lowest and highest in brackets; "
        f"one text a request, {_REQUESTS} of them, one after the other.", "",
        "| | ready, s | CPU until then, s | first answer, s | connection, ms | first request, ms "
        "| 91st to 100th, ms | RSS, MB |",
        "|---|---|---|---|---|---|---|---|", *rows, "",
        f"{one['cpu']}, {one['cores']} cores; Python {one['python']}, TensorFlow "
        f"{one['tensorflow']}, gRPC {one['grpcio']}; {found['date']}.", "",
    ])  # fmt: skip


def _spread(values: list[float]) -> str:
    return f"{median(values):g} ({min(values):g}–{max(values):g})"


if __name__ == "__main__":
    main()
