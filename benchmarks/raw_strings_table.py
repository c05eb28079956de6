"""The results of `raw_strings.py` as Markdown.

python benchmarks/raw_strings_table.py benchmarks/results/raw_strings.json
"""

import json
import sys
from collections.abc import Iterator
from statistics import median
from typing import Any

Found = dict[str, Any]
Sample = dict[str, Any]
OURS = "rawbert"
PACKED_ONCE = "rawbert, packed once"
INEXACT = ("rawbert bfloat16", "OpenVINO bfloat16", "ONNX Runtime int8")


def title(sample: Sample) -> str:
    """The contender, and how its batch was fed."""
    return sample["contender"] + (", one by one" if sample["alone"] else "")


def by_cell(found: Found) -> Iterator[tuple[str, int, str, int, dict[str, list[float]]]]:
    """Shape, threads, texts, batch; and by contender the median milliseconds of each round."""
    cells: dict[tuple[str, int, str, int], dict[str, list[float]]] = {}
    for one in found["samples"]:
        cell = cells.setdefault((one["shape"], one["threads"], one["texts"], one["batch"]), {})
        cell.setdefault(title(one), []).append(_milliseconds(one))
    for (shape, threads, texts, batch), rounds in cells.items():
        yield shape, threads, texts, batch, rounds


def _milliseconds(sample: Sample) -> float:
    """A single text's median; a batch's mean, since every batch has texts of its own."""
    ms = sample["ms"]
    return median(ms) if sample["batch"] == 1 else sum(ms) / len(ms)


def markdown(found: Found) -> str:
    """A table for each shape and number of threads, and where it was measured."""
    parts = ["# Raw strings to scores, measured", _intro(found)]
    groups: dict[tuple[str, int], list[tuple[str, int, dict[str, list[float]]]]] = {}
    for shape, threads, texts, batch, rounds in by_cell(found):
        groups.setdefault((shape, threads), []).append((texts, batch, rounds))
    for (shape, threads), cells in groups.items():
        limit = found["limits"][f"{shape}, {threads}"]
        parts.append(f"## {shape}, {threads} thread{'s' if threads > 1 else ''}")
        parts.append(_single(cells))
        parts.append(_batches(cells, limit, found["pieces"]))
        parts.append(f"Fastest product seen: {limit['gflops']:.0f} GFLOP/s.")
    return "\n\n".join(part for part in [*parts, _machine(found)] if part) + "\n"


def _intro(found: Found) -> str:
    differences = {name: 0.0 for parity in found["parity"].values() for name in parity}
    for parity in found["parity"].values():
        for name, value in parity.items():
            differences[name] = max(differences[name], value)
    told = ", ".join(f"{name} {value:.0e}" for name, value in differences.items() if name != OURS)
    rounds = 1 + max(one["round"] for one in found["samples"])
    return (
        "Text in, scores out, tokenization included; same weights, texts, cores and threads, in "
        f"turns; medians over {rounds} fresh start(s), lowest and highest in brackets. Largest "
        f"difference of a score from ours: {told}."
    )


def _single(cells: list[tuple[str, int, dict[str, list[float]]]]) -> str:
    singles = {texts: rounds for texts, batch, rounds in cells if batch == 1}
    if not singles:
        return ""
    names = list(next(iter(singles.values())))
    rows = [["one text, p50 ms", *singles]]
    rows += [[name, *(_spread(rounds[name]) for rounds in singles.values())] for name in names]
    for ours in [name for name in (OURS, PACKED_ONCE) if name in names]:
        beside = [_against_best(ours, rounds, smaller=True) for rounds in singles.values()]
        rows.append([f"**{ours} / best float32 peer**", *beside])
    return _table(rows)


def _batches(
    cells: list[tuple[str, int, dict[str, list[float]]]],
    limit: dict[str, float],
    pieces: dict[str, float],
) -> str:
    larger = [(texts, batch, rounds) for texts, batch, rounds in cells if batch > 1]
    if not larger:
        return ""
    names = list(dict.fromkeys(name for *_, rounds in larger for name in rounds))
    rows = [["texts/s", *(f"{texts}, {batch}" for texts, batch, _ in larger)]]
    for name in names:
        row = [
            _spread([1000 * batch / ms for ms in rounds[name]]) if name in rounds else ""
            for _, batch, rounds in larger
        ]
        rows.append([name, *row])
    for ours in [name for name in (OURS, PACKED_ONCE) if name in names]:
        beside = [_against_best(ours, rounds) for *_, rounds in larger]
        rows.append([f"**{ours} / best float32 peer**", *beside])
    bounds = [limit["gflops"] / (limit["gflop_per_piece"] * pieces[texts]) for texts, *_ in larger]
    rows.append(["dense products alone, at the limit", *(f"{bound:.0f}" for bound in bounds)])
    shares = [
        f"{100 * 1000 * batch / median(rounds[OURS]) / bound:.0f} %"
        for (_, batch, rounds), bound in zip(larger, bounds, strict=True)
    ]
    return _table([*rows, ["rawbert, share of the limit", *shares]])


def _against_best(ours: str, rounds: dict[str, list[float]], smaller: bool = False) -> str:
    """Times (``smaller``) or speeds as ratios, paired by round, since a machine's speed drifts."""
    peers = [name for name in rounds if not name.startswith((OURS, *INEXACT))]
    best = min(peers, key=lambda name: median(rounds[name]))
    ratios = [own / peer for own, peer in zip(rounds[ours], rounds[best], strict=True)]
    ratio = median(ratios) if smaller else 1 / median(ratios)
    return f"**{ratio:.2f}** ({best})"


def _spread(values: list[float]) -> str:
    form = "{:.0f}" if median(values) >= 100 else "{:.1f}"
    shown = form.format(median(values))
    if len(values) == 1:
        return shown
    return f"{shown} ({form.format(min(values))}–{form.format(max(values))})"


def _table(rows: list[list[str]]) -> str:
    rows.insert(1, ["---"] * len(rows[0]))
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def _machine(found: Found) -> str:
    one = found["machine"]
    on = f"On {found['gpu']}; " if "gpu" in found else ""
    peers = ", ".join(f"{name} {version}" for name, version in found["peers"].items())
    pieces = ", ".join(f"{kind} {number:.0f}" for kind, number in found["pieces"].items())
    return (
        f"{on}{one['cpu']} ({', '.join(one['cpu_flags'])}), {one['memory_gib']} GiB; TensorFlow "
        f"{one['tensorflow']}; {peers}; {found['date']}. Pieces of a text on average: {pieces}."
    )


if __name__ == "__main__":
    with open(sys.argv[1], encoding="utf-8") as results:
        print(markdown(json.load(results)))
