"""Hot swaps under load: no failed request, and every reply's scores are those of its version.

    python benchmarks/serving_swaps.py --swaps 100

Versions appear as a careful copier makes them: copied beside, then renamed. Raw stubs ask all the
while, without retries. Then the server is killed (−9) and started again on the same port.
"""

import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
from datetime import date
from pathlib import Path
from typing import Any

import click
import machine
import tiny_models

from serving.client import Client
from serving.local import Local
from serving.server.process import ServerProcess, spawn

RESULTS = Path(__file__).parent / "results" / "serving_swaps.json"
_CLIENTS = Path(__file__).with_name("checked_clients.py")
_TEXTS = ["a good film", "", "bad bad films!", "日 é", "film " * 40]
_LOAD_S = 120.0


@click.command()
@click.option("--swaps", type=int, default=100, show_default=True)
@click.option("--clients", type=int, default=8, show_default=True)
@click.option("--server", "flags", default="", help="Flags of python -m serving.server.")
@click.option("--work", type=click.Path(path_type=Path), default=Path("out/benchmarks/swaps"))
@click.option("--results", type=click.Path(path_type=Path), default=RESULTS, show_default=True)
def main(swaps: int, clients: int, flags: str, work: Path, results: Path) -> None:
    """Swap two models under load."""
    models = tiny_models.export(work / "models")
    base = _fresh(work / "model", models)
    _write_questions(work, models)
    server = spawn(base, name="model", flags=shlex.split(flags))
    try:
        with _Asking(server.target, work, clients) as asking:
            seconds = [_swap(server, models, base, number) for number in range(2, swaps + 2)]
        swapped = asking.end
        server, killed = _kill(server, base, flags, work, clients)
    finally:
        server.stop()
    found = {
        "date": date.today().isoformat(),
        "flags": flags,
        "clients": clients,
        "swaps": {"count": swaps, "longest_s": round(max(seconds), 2), **_told(swapped)},
        "kill": killed,
        "load": round(os.getloadavg()[0], 2),
        "machine": machine.describe("tensorflow", "tensorflow-text", "grpcio"),
    }
    results.parent.mkdir(parents=True, exist_ok=True)
    results.write_text(json.dumps(found, indent=1) + "\n")
    results.with_suffix(".md").write_text(markdown(found))
    click.echo(markdown(found))
    sys.exit(0 if _as_it_should_be(found) else 1)


class _Asking:
    """The clients' process, from `with` to its end; `end` is its last line then."""

    def __init__(self, target: str, work: Path, clients: int) -> None:
        command = [sys.executable, str(_CLIENTS), target, "model", str(work / "texts.json")]
        command += ["--expected", str(work / "expected.json"), "--clients", str(clients)]
        self._said = (work / "clients.log").open("w+b")
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=self._said)
        self.end: dict[str, Any] = {}

    def __enter__(self) -> "_Asking":
        while not self.answered():
            time.sleep(0.1)
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate()
        self._said.seek(0)
        self.end = json.loads(self._said.readlines()[-1])
        self._said.close()

    def answered(self) -> bool:
        """Whether the first replies have come."""
        if self._process.poll() is not None:
            raise RuntimeError("the clients' process has ended")
        return os.fstat(self._said.fileno()).st_size > 0


def _fresh(base: Path, models: Path) -> Path:
    shutil.rmtree(base, ignore_errors=True)
    shutil.copytree(models / "1", base / "1")
    return base


def _write_questions(work: Path, models: Path) -> None:
    """Texts, and the scores that versions with an even and with an odd number give."""
    expected = []
    for version in ("2", "1"):  # by version modulo 2
        with Local(models / version) as model:
            expected.append(model.predict_arrays(_TEXTS)["scores"].tolist())
    (work / "texts.json").write_text(json.dumps(_TEXTS))
    (work / "expected.json").write_text(json.dumps(expected))


def _swap(server: ServerProcess, models: Path, base: Path, number: int) -> float:
    """Brings the next version and takes the last but one away; seconds until it alone serves."""
    incoming = base.with_name("incoming")
    shutil.copytree(models / str(2 - number % 2), incoming)
    start = time.monotonic()
    incoming.rename(base / str(number))
    with Client(server.target, name="model", retries=0) as client:
        while not _alone(client.status(), number):
            if time.monotonic() - start > _LOAD_S:
                raise RuntimeError(f"version {number} does not come: {client.status()}")
            time.sleep(0.02)
    shutil.rmtree(base / str(number - 1))
    return time.monotonic() - start


def _alone(states: dict[int, str], number: int) -> bool:
    others = (state for version, state in states.items() if version != number)
    return states.get(number) == "AVAILABLE" and all(state == "END" for state in others)


def _kill(
    server: ServerProcess, base: Path, flags: str, work: Path, clients: int
) -> tuple[ServerProcess, dict[str, Any]]:
    """Kills the server under load and starts another one on its port."""
    with _Asking(server.target, work, clients) as asking:
        os.kill(server.pid, signal.SIGKILL)
        killed = time.monotonic()
        server.stop()
        server = spawn(base, name="model", flags=[f"--port={server.port}", *shlex.split(flags)])
        started = time.monotonic() - killed
        with Client(server.target, name="model", retries=1000) as client:
            client.predict(_TEXTS)
        answered = time.monotonic() - killed
        time.sleep(2.0)
    return server, {
        "ready_again_s": round(started, 2),
        "answered_again_s": round(answered, 2),
        **_told(asking.end),
    }


def _told(end: dict[str, Any]) -> dict[str, Any]:
    return {key: end[key] for key in ("done", "versions", "failed", "wrong", "longest_gap_s")}


def _as_it_should_be(found: dict[str, Any]) -> bool:
    swaps, kill = found["swaps"], found["kill"]
    return (
        not swaps["failed"]
        and not swaps["wrong"]
        and len(swaps["versions"]) >= 2
        and not kill["wrong"]
        and all(reason.startswith("UNAVAILABLE") for reason in kill["failed"])
    )


def markdown(found: dict[str, Any]) -> str:
    """What was found, as two rows."""
    swaps, kill, one = found["swaps"], found["kill"], found["machine"]
    return f"""# Swaps and kills under load, measured

{found["clients"]} clients with raw stubs and no retries at the tests' tiny model; server flags: \
`{found["flags"] or "none"}`. Every reply is compared with the scores of the version it names.

| what | replies | failed | wrong scores | versions in replies | longest time without a reply, s |
| --- | --- | --- | --- | --- | --- |
| {swaps["count"]} swaps | {_row(swaps)} |
| kill −9, restart | {_row(kill)} |

A swap took at most {swaps["longest_s"]} s from the rename until the old version was gone. After the
kill the new server answered {kill["answered_again_s"]} s later; what failed until then: \
{", ".join(sorted({reason.split(":")[0] for reason in kill["failed"]})) or "nothing"}.

{one["cpu"]}, {one["cores"]} cores; Python {one["python"]}, TensorFlow {one["tensorflow"]}, gRPC \
{one["grpcio"]}; {found["date"]}; load {found["load"]}.
"""


def _row(told: dict[str, Any]) -> str:
    failed = sum(told["failed"].values())
    seen = len(told["versions"])
    return f"{told['done']:,} | {failed:,} | {told['wrong']:,} | {seen} | {told['longest_gap_s']}"


if __name__ == "__main__":
    main()
