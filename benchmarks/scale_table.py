"""What `scale.py` found, as Markdown."""

from collections.abc import Iterable
from itertools import groupby, pairwise
from typing import Any

Found = dict[str, Any]


def line(found: Found) -> str:
    """A measurement as it is made."""
    return (
        f"{found['stage']:15} {found['rows']:>10,} rows {found['seconds']:8.1f} s"
        f" ({found['cpu_seconds']:.1f} CPU) {found['peak_mb']:8,.0f} MB, load {found['load']:.1f}"
    )


def markdown(everything: list[Found]) -> str:
    """All measurements, and what lies between two sizes: the cost of a row."""
    one = everything[-1]["machine"]
    rows = [
        f"| {found['stage']} | {found['rows']:,} | {found['seconds']:.1f} | "
        f"{found['cpu_seconds']:.1f} | {found['rows'] / found['cpu_seconds']:,.0f} | "
        f"{found['peak_mb']:,.0f} | {found['load']:.1f} | {found.get('commit', '?')} |"
        for found in everything
    ]
    between = [
        f"| {step['stage']} | {step['first']:,} to {step['last']:,} | "
        f"{step['cpu_microseconds']:,.0f} | {step['bytes']:,.0f} | {step['fixed_cpu']:.1f} |"
        for step in steps(everything)
    ]
    return "\n".join(
        (
            "# The cost of a row as the data grows",
            "",
            "Seconds without imports; memory of the process and its children, imports included.",
            "",
            "| stage | rows | seconds | CPU s | rows a CPU second | peak MB | load | commit |",
            "|---|---|---|---|---|---|---|---|",
            *rows,
            "",
            "Between two sizes: what each further row costs, and what is left for no row at all.",
            "",
            "| stage | rows | CPU µs a row | bytes of memory a row | fixed CPU seconds |",
            "|---|---|---|---|---|",
            *between,
            "",
            f"{one['cpu']}, {one['cores']} cores, {one['memory_gib']} GiB; Python {one['python']},"
            f" TensorFlow {one['tensorflow']}, Beam {one['apache-beam']}, TFX {one['tfx']};"
            f" {everything[-1]['date']}.",
            "",
        )
    )


def steps(everything: list[Found]) -> Iterable[dict[str, Any]]:
    """From one size of a stage to the next."""
    for stage, sizes in groupby(everything, key=lambda found: found["stage"]):
        for small, large in pairwise(sizes):
            more = large["rows"] - small["rows"]
            cpu = (large["cpu_seconds"] - small["cpu_seconds"]) / more
            yield {
                "stage": stage,
                "first": small["rows"],
                "last": large["rows"],
                "cpu_microseconds": cpu * 1e6,
                "bytes": (large["peak_mb"] - small["peak_mb"]) * 2**20 / more,
                "fixed_cpu": small["cpu_seconds"] - cpu * small["rows"],
            }
