"""Whether a server's memory grows: its RSS over many requests of very different lengths.

python benchmarks/serving_memory.py                      # the tests' tiny model
python benchmarks/serving_memory.py out/reviews/serving/reviews --requests 20000 --first 5000
"""

import json
import os
import random
import shlex
import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import Any

import click
import machine
import numpy as np
import psutil
import tiny_models

from serving.server.process import ServerProcess, spawn

RESULTS = Path(__file__).parent / "results" / "serving_memory.json"
_CLIENTS = Path(__file__).with_name("checked_clients.py")
_WORDS = ["a", "good", "bad", "film", "films", "not", "very", "!", "é", "日", "unknown", "words"]


@click.command()
@click.argument("model", required=False, type=click.Path(exists=True, path_type=Path))
@click.option("--requests", type=int, default=200_000, show_default=True)
@click.option("--first", type=int, default=50_000, show_default=True, help="Left out of the slope.")
@click.option("--clients", type=int, default=8, show_default=True)
@click.option("--server", "flags", default="", help="Flags of python -m serving.server.")
@click.option("--work", type=click.Path(path_type=Path), default=Path("out/benchmarks/memory"))
@click.option("--results", type=click.Path(path_type=Path), default=RESULTS, show_default=True)
def main(
    model: Path | None,
    requests: int,
    first: int,
    clients: int,
    flags: str,
    work: Path,
    results: Path,
) -> None:
    """Measure MODEL, or the tests' tiny one."""
    work.mkdir(parents=True, exist_ok=True)
    path = model or tiny_models.export(work / "models") / "1"
    (work / "texts.json").write_text(json.dumps(_texts(), ensure_ascii=False), encoding="utf-8")
    with spawn(path, name="model", flags=shlex.split(flags)) as server:
        samples, end = _ask(server, work / "texts.json", requests, clients)
    found = {
        "date": date.today().isoformat(),
        "model": "the tests' tiny model" if model is None else model.name,
        "flags": flags,
        "clients": clients,
        "requests": requests,
        "first": first,
        **_line(samples, first),
        "failed": end["failed"],
        "load": round(os.getloadavg()[0], 2),
        "machine": machine.describe("tensorflow", "tensorflow-text", "grpcio"),
        "samples": samples[:: max(1, len(samples) // 100)],
    }
    results.parent.mkdir(parents=True, exist_ok=True)
    results.write_text(json.dumps(found) + "\n")
    results.with_suffix(".md").write_text(markdown(found))
    click.echo(markdown(found))


def _texts() -> list[str]:
    """1,000 texts of 0 to 3,000 words, most of them short."""
    order = random.Random(1)
    lengths = [int(3000 ** order.random()) - 1 for _ in range(1000)]
    return [" ".join(order.choice(_WORDS) for _ in range(length)) for length in lengths]


def _ask(
    server: ServerProcess, texts: Path, requests: int, clients: int
) -> tuple[list[tuple[int, int]], dict[str, Any]]:
    """(requests answered, the server's RSS in kB) every thousand; and the clients' last words."""
    command = [sys.executable, str(_CLIENTS), server.target, "model", str(texts)]
    command += ["--requests", str(requests), "--clients", str(clients)]
    watched, samples = psutil.Process(server.pid), []
    with subprocess.Popen(command, stdout=subprocess.PIPE) as asking:
        assert asking.stdout is not None
        for line in asking.stdout:
            told = json.loads(line)
            samples.append((told["done"], watched.memory_info().rss // 1024))
            if told.get("end"):
                return samples, told
    raise RuntimeError("the clients ended before their last request")


def _line(samples: list[tuple[int, int]], first: int) -> dict[str, float]:
    """The straight line of least squares through the samples after the first requests."""
    late = np.array([sample for sample in samples if sample[0] >= first], dtype=float)
    slope, _ = np.polyfit(late[:, 0], late[:, 1], 1)
    return {
        "kb_per_1000_requests": round(float(slope) * 1000, 3),
        "rss_mb_at_start_of_line": round(late[0, 1] / 1024, 1),
        "rss_mb_at_end": round(late[-1, 1] / 1024, 1),
        "rss_mb_highest": round(max(rss for _, rss in samples) / 1024, 1),
    }


def markdown(found: dict[str, Any]) -> str:
    """What was found, in words."""
    one = found["machine"]
    return f"""# A server's memory, measured

{found["requests"]:,} requests of one text of 0 to 3,000 words to {found["model"]} by \
{found["clients"]} clients; server flags: `{found["flags"] or "none"}`; failed: \
{sum(found["failed"].values())}.

| requests | RSS, MB |
| --- | --- |
| {found["first"]:,} | {found["rss_mb_at_start_of_line"]:,} |
| {found["requests"]:,} | {found["rss_mb_at_end"]:,} |
| highest | {found["rss_mb_highest"]:,} |

Slope of the line of least squares over the last {found["requests"] - found["first"]:,}: \
**{found["kb_per_1000_requests"]:+.2f} kB per 1,000 requests**.

{one["cpu"]}, {one["cores"]} cores; Python {one["python"]}, TensorFlow {one["tensorflow"]}, gRPC \
{one["grpcio"]}; {found["date"]}; load {found["load"]}.
"""


if __name__ == "__main__":
    main()
