"""Matplotlib's drawings as SVG elements that take the page's colours, light or dark.

Colours are drawn as placeholders and exchanged for the page's CSS variables; text stays text, so
that it is read aloud, searched and set in the page's font.
"""

import contextlib
import io
import re
import warnings
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from pipeline.shortened import shortened

_INK, _FAINT = "#010203", "#010204"
_FIRST, _SECOND, _THIRD = "#010205", "#010206", "#010207"
_VARIABLES = {
    _INK: "currentColor",
    _FAINT: "var(--faint)",
    _FIRST: "var(--first)",
    _SECOND: "var(--second)",
    _THIRD: "var(--third)",
}
_WIDTH = 5.4  # inches: at the width of a phone the letters stay readable
_SETTINGS: dict[Any, Any] = {
    "svg.fonttype": "none",
    "text.parse_math": False,  # a label may hold dollars
    "font.size": 10,
    "axes.edgecolor": _FAINT,
    "axes.labelcolor": _INK,
    "text.color": _INK,
    "xtick.color": _FAINT,
    "ytick.color": _FAINT,
    "xtick.labelcolor": _INK,
    "ytick.labelcolor": _INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "grid.color": _FAINT,
    "grid.linewidth": 0.4,
    "legend.frameon": False,
}
_LONGEST = 24  # letters of a label

Interval = tuple[float, float]


def columns(name: str, bars: Sequence[tuple[str, int]], x: str, y: str) -> str:
    """Upright bars, one a name."""
    with _figure(name, 2.8) as (axes, svg):
        axes.bar([bar[0] for bar in bars], [bar[1] for bar in bars], color=_FIRST, width=0.9)
        axes.set(xlabel=x, ylabel=y)
        axes.grid(axis="y")
        axes.set_axisbelow(True)
        axes.yaxis.set_major_formatter(matplotlib.ticker.StrMethodFormatter("{x:,.0f}"))
        axes.tick_params(axis="x", labelrotation=45 if len(bars) > 9 else 0)
    return svg.text


def shares(name: str, rows: Sequence[tuple[str, Sequence[float]]], of: Sequence[str]) -> str:
    """Lying bars: a group of as many as ``of`` names for every row, in per cent."""
    colours = (_FIRST, _SECOND, _THIRD)
    thick = 0.8 / len(of)
    with _figure(name, 0.9 + 0.4 * len(rows)) as (axes, svg):
        for number, one in enumerate(of):
            places = [row + (number - (len(of) - 1) / 2) * thick for row in range(len(rows))]
            values = [100 * row[1][number] for row in rows]
            axes.barh(places, values, thick * 0.92, color=colours[number], label=one)
        axes.set_yticks(range(len(rows)), [short(row[0]) for row in rows])
        axes.invert_yaxis()
        axes.set(xlabel="%")
        axes.grid(axis="x")
        axes.set_axisbelow(True)
        if len(of) > 1:
            axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=len(of))
    return svg.text


def curves(name: str, epochs: Sequence[int], lines: Mapping[str, Sequence[float]], y: str) -> str:
    """Up to two lines over epochs."""
    with _figure(name, 2.4) as (axes, svg):
        for (said, values), colour, mark in zip(
            lines.items(), (_FIRST, _SECOND), ("o-", "s--"), strict=False
        ):
            axes.plot(epochs, values, mark, color=colour, label=said)
        axes.set(xlabel="epoch", ylabel=y)
        axes.set_xticks(list(epochs) if len(epochs) < 13 else list(epochs)[:: len(epochs) // 10])
        axes.grid()
        axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=2)
    return svg.text


def intervals(
    name: str, rows: Sequence[tuple[str, float, Interval | None]], x: str, bound: float | None
) -> str:
    """A point and its interval for every row; a line at the bound that all are held against."""
    with _figure(name, 0.9 + 0.28 * len(rows)) as (axes, svg):
        for place, (_, value, interval) in enumerate(rows):
            if interval:
                axes.plot(interval, [place, place], "-", color=_FIRST, linewidth=2)
            axes.plot([value], [place], "o", color=_FIRST)
        if bound is not None:
            axes.axvline(bound, color=_SECOND, linestyle="--", label=f"bound {bound:g}")
            axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1))
        axes.set_yticks(range(len(rows)), [short(row[0]) for row in rows])
        axes.set_ylim(len(rows) - 0.5, -0.5)
        axes.set(xlabel=x)
        axes.grid(axis="x")
    return svg.text


def matrix(name: str, labels: Sequence[str], rows: Sequence[Sequence[int]]) -> str:
    """Counts, a row for each label in the data, a column for each label given; shaded by row."""
    size = len(labels)
    with _figure(name, 1.6 + 0.42 * size) as (axes, svg):
        for row, counts in enumerate(rows):
            for column, count in enumerate(counts):
                share = count / max(1, sum(counts))
                colour = _FIRST if row == column else _SECOND
                place = (column - 0.5, row - 0.5)
                axes.add_patch(
                    matplotlib.patches.Rectangle(place, 1, 1, color=colour, alpha=0.6 * share)
                )
                axes.text(column, row, f"{count:,}", ha="center", va="center")
        axes.set_xlim(-0.5, size - 0.5)
        axes.set_ylim(size - 0.5, -0.5)
        names = [short(label) for label in labels]
        axes.set_xticks(range(size), names, rotation=45 if size > 4 else 0)
        axes.set_yticks(range(size), names)
        axes.set(xlabel="given by the model", ylabel="in the data")
    return svg.text


def short(label: str) -> str:
    """A label that leaves room for the plot."""
    plain = "".join(c if c.isprintable() else " " for c in label)
    return shortened(plain, _LONGEST)


class _Svg:
    """Where a figure's text is found once it is drawn."""

    text = ""


@contextlib.contextmanager
def _figure(name: str, height: float) -> Iterator[tuple[Axes, _Svg]]:
    """Axes to draw on; without pyplot, which would keep every figure."""
    svg = _Svg()
    with matplotlib.rc_context(_SETTINGS), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a glyph that matplotlib's font lacks: the page's has it
        figure = Figure(figsize=(_WIDTH, height), layout="constrained")
        figure.patch.set_alpha(0)
        axes = figure.add_subplot()
        axes.patch.set_alpha(0)
        yield axes, svg
        written = io.StringIO()
        FigureCanvasSVG(figure).print_svg(written, metadata={"Date": None})
    svg.text = _for_page(written.getvalue(), name)


def _for_page(written: str, name: str) -> str:
    """The ``svg`` element alone, its identifiers made the page's only ones."""
    element = written[written.index("<svg") :]
    element = re.sub(r"<metadata>.*?</metadata>", "", element, flags=re.DOTALL)
    element = re.sub(r'\bid="', f'id="{name}-', element)
    element = re.sub(r'xlink:href="#', f'xlink:href="#{name}-', element)
    element = re.sub(r"url\(#", f"url(#{name}-", element)
    element = element.replace("'DejaVu Sans'", "system-ui")
    for drawn, variable in _VARIABLES.items():
        element = element.replace(drawn, variable)
    return element.strip()
