r"""Latency and throughput of raw strings: in process, through the embedded server, through a peer.

    python benchmarks/serving_load.py out/reviews/serving/reviews \
        --infinity .venv-peer/bin/infinity_emb

At every level of concurrency the systems take turns, in another order each round; what is told is
the median over the rounds.
"""

import contextlib
import dataclasses
import json
import os
import shlex
import subprocess
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import click
import load_table
import load_texts
import machine
import numpy as np
import options
import peer_model
from load_systems import (
    WARM_S,
    Embedded,
    Infinity,
    InProcess,
    Measured,
    Setting,
    System,
    setting_of,
)

from serving.batching_parameters import read_batching
from serving.server.versions import open_base_path

RESULTS = Path(__file__).parent / "results" / "serving_load.json"
IN_PROCESS = (1, 32)  # the batches that the servers are compared with
_COMPARED = 20
_TOLERANCE = 1e-3


@click.command()
@click.argument("model", type=click.Path(exists=True, path_type=Path))
@options.recipe
@click.option(
    "--server", "servers", multiple=True, metavar="NAME=FLAGS", default=["embedded server="],
    show_default=True, help="Of python -m serving.server; VARIABLE=value is for its environment.",
)  # fmt: skip
@click.option("--rest", is_flag=True, help="Ask the first server over REST, too.")
@click.option("--infinity", type=click.Path(exists=True, path_type=Path), help="infinity_emb.")
@click.option("--engine", "engines", multiple=True, default=["torch"], show_default=True)
@click.option("--clients", "levels", multiple=True, type=int, default=[1, 8, 32, 128])
@click.option("--rounds", type=int, default=5, show_default=True)
@click.option("--seconds", type=float, default=20.0, show_default=True, help="Of a measurement.")
@click.option("--texts", "count", type=int, default=2000, show_default=True)
@click.option("--work", type=click.Path(path_type=Path), default=Path("out/benchmarks/load"))
@click.option("--results", type=click.Path(path_type=Path), default=RESULTS, show_default=True)
def main(
    model: Path,
    recipe: Path,
    servers: tuple[str, ...],
    rest: bool,
    infinity: Path | None,
    engines: tuple[str, ...],
    levels: tuple[int, ...],
    rounds: int,
    seconds: float,
    count: int,
    work: Path,
    results: Path,
) -> None:
    """Measure MODEL, a pushed classifier's base path or one version."""
    work.mkdir(parents=True, exist_ok=True)
    version = list(open_base_path(model).versions().values())[-1]
    texts = load_texts.write(recipe, count, work / "texts.json")
    peers = _folders(version, infinity, engines, work) if infinity else {}
    with contextlib.ExitStack() as running:
        systems: list[System] = []
        flags = [server.partition("=")[2] for server in servers]
        for setting in dict.fromkeys([Setting(), *map(setting_of, flags)]):
            alone = InProcess(version, work / "texts.json", setting)
            systems.append(running.enter_context(alone))
        for system in _served(version, servers, rest, infinity, peers, work):
            systems.append(running.enter_context(system))
        differences = _differences(systems, alone, texts, version)
        measured = list(_rounds(systems, levels, rounds, seconds))
    found = {
        "date": date.today().isoformat(),
        "model": _name_of(version),
        "texts": {
            "count": len(texts),
            "bytes_median": int(np.median([len(t.encode()) for t in texts])),
        },
        "seconds": seconds,
        "rounds": rounds,
        "servers": dict(server.split("=", 1) for server in servers),
        "largest_difference_of_scores": differences,
        "machine": machine.describe("tensorflow", "tensorflow-text", "grpcio"),
        "peer": _peer_versions(infinity) if infinity else {},
        "measured": measured,
        **_fastest(servers, measured),
    }
    results.parent.mkdir(parents=True, exist_ok=True)
    results.write_text(json.dumps(found, indent=1) + "\n")
    results.with_suffix(".md").write_text(load_table.markdown(found))
    click.echo(load_table.markdown(found))


def _fastest(servers: tuple[str, ...], measured: list[Measured]) -> dict[str, Any]:
    """The batching parameters of the server with the most texts/s, for `rawbert deploy`."""
    flags = dict(server.split("=", 1) for server in servers)
    served = [one for one in measured if one["system"] in flags]
    best = max(served, key=lambda one: one["texts_per_s"], default=None)
    for flag in shlex.split(flags[best["system"]]) if best else ():
        name, _, file = flag.partition("=")
        if name == "--batching_parameters_file":
            return {"batching": dataclasses.asdict(read_batching(file))}
    return {}


def _name_of(version: Path) -> str:
    """The model by its name and version, not by where it lies."""
    return f"{version.parent.name}/{version.name}"


def _served(
    version: Path,
    servers: tuple[str, ...],
    rest: bool,
    infinity: Path | None,
    peers: dict[str, Path],
    work: Path,
) -> Iterator[System]:
    texts = work / "texts.json"
    for number, server in enumerate(servers):
        name, _, flags = server.partition("=")
        yield Embedded(name, version, flags, texts, rest=False)
        if rest and number == 0:
            yield Embedded(f"{name}, REST", version, flags, texts, rest=True)
    for engine, folder in peers.items():
        assert infinity is not None
        yield Infinity(infinity, engine, folder, texts, work / f"infinity-{engine}.log")


def _folders(
    version: Path, infinity: Path, engines: tuple[str, ...], work: Path
) -> dict[str, Path]:
    """The same weights for each of the peer's engines; `optimum` reads ONNX."""
    folder = peer_model.write(version, work / "peer")
    folders = dict.fromkeys(engines, folder)
    if "optimum" in folders:
        folders["optimum"] = work / "peer-onnx"
        command = [str(infinity.parent / "optimum-cli"), "export", "onnx", "--model", str(folder)]
        command += ["--task", "text-classification", str(folders["optimum"])]
        subprocess.run(command, check=True, env={**os.environ, "HF_HUB_OFFLINE": "1"})
    return folders


def _differences(
    systems: list[System], alone: InProcess, texts: list[str], version: Path
) -> dict[str, float]:
    """Between a peer's scores and ours, to know that it has the same weights."""
    labels = json.loads((version / "assets.extra" / "rawbert.json").read_text())["labels"]
    ours = np.array(alone.scores(_COMPARED))
    found = {}
    for system in systems:
        if isinstance(system, Infinity):
            theirs = np.array(system.scores(texts[:_COMPARED], labels))
            found[system.name] = float(np.abs(ours - theirs).max())
            if found[system.name] > _TOLERANCE:
                raise click.ClickException(f"{system.name} has other weights: {found}")
    return found


def _rounds(
    systems: list[System], levels: tuple[int, ...], rounds: int, seconds: float
) -> Iterator[dict[str, Any]]:
    for turn in range(rounds):
        for clients in levels:
            shift = turn % len(systems)
            for system in systems[shift:] + systems[:shift]:
                if isinstance(system, InProcess) and clients not in IN_PROCESS:
                    continue
                before = system.cpu_seconds()
                measured = system.measure(clients, seconds)
                told = _told(system, clients, measured, system.cpu_seconds() - before)
                click.echo(f"round {turn + 1}: {json.dumps(told)}", err=True)
                yield {"round": turn + 1, **told}


def _told(system: System, clients: int, measured: Measured, cpu: float) -> dict[str, Any]:
    latencies, seconds = measured["latencies_ms"], measured["seconds"]
    p50, p99 = np.percentile(latencies, [50, 99]) if latencies else (None, None)
    a_request = clients if isinstance(system, InProcess) else 1
    counted = seconds / (seconds + WARM_S)  # what is answered while it warms up takes CPU, too
    return {
        "system": system.name,
        "protocol": system.protocol,
        "threads": system.setting[:2],
        "environment": system.setting.environment,
        "clients": clients,
        "requests": len(latencies),
        "p50_ms": p50 and round(float(p50), 3),
        "p99_ms": p99 and round(float(p99), 3),
        "texts_per_s": round(a_request * len(latencies) / seconds, 2),
        "cpu_ms": latencies and round(1e3 * cpu * counted / (a_request * len(latencies)), 3),
        "failed": measured["failed"],
        "load": round(os.getloadavg()[0], 2),
    }


def _peer_versions(infinity: Path) -> dict[str, str]:
    program = (
        "import json; from importlib.metadata import version;"
        "print(json.dumps({n: version(n) for n in "
        "('infinity-emb', 'torch', 'transformers', 'onnxruntime')}))"
    )
    done = subprocess.run(
        [str(infinity.parent / "python"), "-c", program], stdout=subprocess.PIPE, check=True
    )
    return dict(json.loads(done.stdout))


if __name__ == "__main__":
    main()
