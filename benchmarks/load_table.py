"""The results of `serving_load.py` as Markdown."""

from collections.abc import Callable
from statistics import median
from typing import Any

from load_systems import Setting, in_process

Found = dict[str, Any]
Told = dict[str, Any]


def markdown(found: Found) -> str:
    """The table, what the servers are compared by, and where it was measured."""
    parts = ["# Serving under load, measured", _intro(found), _table(found["measured"])]
    parts += [_aims(found["measured"])]
    parts += [_ahead(found["measured"], list(found["largest_difference_of_scores"]))]
    parts += [_machine(found)]
    return "\n\n".join(part for part in parts if part) + "\n"


def _intro(found: Found) -> str:
    flags = ", ".join(f"{name}: `{flags or 'none'}`" for name, flags in found["servers"].items())
    return (
        f"Model {found['model']}; {found['texts']['count']:,} texts (median "
        f"{found['texts']['bytes_median']} bytes), one a request, chosen at random. Closed loop, "
        "no retries, a connection a client; clients, server and model share the cores. Medians of "
        f"{found['rounds']} round(s) of {found['seconds']:g} s, the systems in turn; in "
        "brackets the lowest and highest round. In process, 1 and 32 are batches, and the latency "
        "is the batch's; CPU is the system's own, clients apart. Threads: of an op, "
        "and ops at once (-1: in the thread that asks; 0: TensorFlow's choice). "
        f"Server flags: {flags}."
    )


def _table(measured: list[Told]) -> str:
    heads = ["clients", "system", "p50 ms", "p99 ms", "texts/s", "CPU ms a text"]
    heads += ["requests", "failed", "load"]
    rows = []
    for clients in sorted({one["clients"] for one in measured}):
        for system in dict.fromkeys(one["system"] for one in measured):
            group = [o for o in measured if (o["clients"], o["system"]) == (clients, system)]
            if group:
                rows.append(_row(clients, system, group))
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _row(clients: int, system: str, group: list[Told]) -> list[str]:
    return [
        f"{clients}",
        system,
        _spread(group, "p50_ms", "{:.2f}"),
        _spread(group, "p99_ms", "{:.2f}"),
        _spread(group, "texts_per_s", "{:.1f}"),
        _spread(group, "cpu_ms", "{:.2f}"),
        f"{sum(one['requests'] for one in group):,}",
        f"{sum(sum(one['failed'].values()) for one in group):,}",
        f"{median(one['load'] for one in group):.1f}",
    ]


def _spread(group: list[Told], key: str, form: str) -> str:
    values = [one[key] for one in group if one[key] is not None]
    if not values:
        return "–"
    shown = form.format(median(values))
    if len(values) == 1:
        return shown
    return f"{shown} ({form.format(min(values))}–{form.format(max(values))})"


def _aims(measured: list[Told]) -> str:
    """Each round's servers beside the same round's in-process figures."""
    served = {o["system"]: _setting(o) for o in measured if o["protocol"] != "no protocol"}
    lines = ["Beside in-process inference of the same round (medians over the rounds):", ""]
    for system, setting in served.items():
        said = []
        for base in dict.fromkeys([in_process(Setting()), in_process(setting)]):
            cost = _paired(measured, system, 1, _longer, base)
            if cost is not None:
                said.append(f"p50 of one client {cost:+.2f} ms over batch 1 {base}")
        share = _paired(measured, system, 32, _ratio)
        if share is not None:
            said.append(f"32 clients {100 * share:.0f} % of the throughput of batch 32")
        saved = _paired(measured, system, 32, lambda one, base: base["cpu_ms"] / one["cpu_ms"])
        if saved is not None:
            said.append(f"{100 * saved:.0f} % of its texts a second of CPU")
        lines += [f"- {system}: {'; '.join(said)}."] if said else []
    return "\n".join(lines) if len(lines) > 2 else ""


def _ahead(measured: list[Told], peers: list[str]) -> str:
    """Throughput of each of our servers over each peer's, level by level."""
    lines = []
    ours = dict.fromkeys(o["system"] for o in measured if o["protocol"] in ("grpc", "rest"))
    for system in ours:
        for peer in peers:
            ratios = {
                clients: _paired(measured, system, clients, _ratio, base=peer)
                for clients in sorted({one["clients"] for one in measured})
            }
            said = ", ".join(f"{ratio:.2f} at {n}" for n, ratio in ratios.items() if ratio)
            lines.append(f"- {system} over {peer}: {said}.")
    head = "Throughput beside the peer's in the same round, by clients (medians of ratios):\n\n"
    return head + "\n".join(lines) if lines else ""


def _setting(one: Told) -> Setting:
    return Setting(*one["threads"], environment=tuple(one["environment"]))


def _longer(one: Told, base: Told) -> float:
    return one["p50_ms"] - base["p50_ms"]


def _ratio(one: Told, base: Told) -> float:
    return one["texts_per_s"] / base["texts_per_s"]


def _paired(
    measured: list[Told],
    system: str,
    clients: int,
    compare: Callable[[Told, Told], float],
    base: str = in_process(Setting()),
) -> float | None:
    """Median over rounds; paired, since a machine's speed drifts."""
    found = {(o["round"], o["system"]): o for o in measured if o["clients"] == clients}
    pairs = [
        (one, found[turn, base])
        for (turn, name), one in found.items()
        if name == system and (turn, base) in found
    ]
    values = [compare(*pair) for pair in pairs if all(one["requests"] for one in pair)]
    return median(values) if values else None


def _machine(found: Found) -> str:
    one = found["machine"]
    peers = "; ".join(f"{name} {version}" for name, version in found["peer"].items())
    differ = "; ".join(
        f"{name} {value:.1e}" for name, value in found["largest_difference_of_scores"].items()
    )
    return (
        f"{one['cpu']}, {one['cores']} cores ({', '.join(one['cpu_flags'])}), {one['memory_gib']} "
        f"GiB; Python {one['python']}, TensorFlow {one['tensorflow']}, gRPC {one['grpcio']}; "
        f"{found['date']}. `load` is the one-minute load average after each measurement."
        + (f"\nPeer: {peers}. Largest difference of a score from ours: {differ}." if peers else "")
    )
