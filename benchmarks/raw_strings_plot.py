"""The results of `raw_strings.py` as a plot: milliseconds of a text, alone and in a batch."""

from pathlib import Path
from statistics import median
from typing import Any

import raw_strings_table

_SHOWN = (1, 32)
_COLOURS = {raw_strings_table.OURS: "#1a6e8e", raw_strings_table.PACKED_ONCE: "#5fa3bd"}
_OTHERS = "#b8bfc6"


def write(found: dict[str, Any], to: Path) -> None:
    """Writes an SVG: a panel for each kind of texts and batch, of the first shape and threads."""
    import matplotlib

    matplotlib.use("svg")
    from matplotlib import pyplot

    cells = list(raw_strings_table.by_cell(found))
    shape, threads = cells[0][:2]
    shown = [c[2:] for c in cells if c[:2] == (shape, threads) and c[3] in _SHOWN]
    kinds = list(dict.fromkeys(texts for texts, *_ in shown))
    sizes = sorted({batch for _, batch, _ in shown})
    figure, panels = pyplot.subplots(
        len(sizes), len(kinds), figsize=(3.4 * len(kinds), 3.0 * len(sizes)), squeeze=False
    )
    for texts, batch, rounds in shown:
        _bars(
            panels[sizes.index(batch)][kinds.index(texts)], f"{texts}, batch {batch}", rounds, batch
        )
    figure.suptitle(f"{shape}, {threads} thread(s): milliseconds a text, raw string to scores")
    figure.tight_layout()
    figure.savefig(to, metadata={"Date": None})
    pyplot.close(figure)


def _bars(panel: Any, title: str, rounds: dict[str, list[float]], batch: int) -> None:
    values = {name: median(ms) / batch for name, ms in rounds.items()}
    names = sorted(values, key=values.__getitem__, reverse=True)
    bars = panel.barh(
        names, [values[name] for name in names], color=[_COLOURS.get(n, _OTHERS) for n in names]
    )
    panel.bar_label(bars, fmt="%.1f", padding=2, fontsize=7)
    panel.set_title(title, fontsize=9)
    panel.tick_params(labelsize=7)
    panel.spines[["top", "right"]].set_visible(False)
    panel.margins(x=0.18)
