"""A page as HTML for a strict parser and as lines of a terminal; a user's text stays text."""

import io
import re
from pathlib import Path
from xml.etree import ElementTree

import pytest
from rich.console import Console

from pipeline.page import html, plots, terminal
from pipeline.page.blocks import (
    Cell,
    Commands,
    Document,
    Facts,
    Links,
    Marked,
    Page,
    Piece,
    Plot,
    Sample,
    Section,
    Table,
    Text,
)  # fmt: skip

HTML, SVG = "{http://www.w3.org/1999/xhtml}", "{http://www.w3.org/2000/svg}"
USERS = {
    "markup": "<script>alert(1)</script> & <b>bold",
    "quotes": "\"><img src=x onerror='alert(1)'>",
    "control characters": "a\x00b\x0b\x1b[31mc\x7f\x85",
    "not in XML": "\ufffe\uffff\ud800",
    "right to left": "\u202eسلام\u202c",
    "emoji": "👩‍👩‍👧",
    "rich's markup": "[bold]not bold[/] [/]",
    "Markdown": "[link](javascript:alert(1)) ![x](http://example.com/x.png) `code`",
}


def page_of(words: str) -> Page:
    """A page with a user's words wherever they can be."""
    bars = [(words, 3), ("other", 1)]
    plot = Plot(plots.shares("p1", [(words, [0.2, 0.8])], ["a", "b"]), words, bars)
    blocks = [
        Text(words), Facts([(words, words)]), Table([words], [[Cell(words, "bad")]], 1, words),
        plot, Commands([words]), Links([(words, "a/b.pb")]), Document(f"# {words}\n\n{words}"),
        Sample(words, [Piece(words, 1, 0, words)], [words]), Marked([(words, ""), (words, words)]),
    ]  # fmt: skip
    return Page(words, [Section(words, blocks)], Cell(words, "good"), words, [(words, words)])


@pytest.mark.parametrize("words", USERS.values(), ids=USERS)
def test_a_users_words_stay_words(tmp_path: Path, words: str) -> None:
    written = html.write(page_of(words), tmp_path / "page.html")
    tree = ElementTree.parse(written)
    names = {element.tag.removeprefix(HTML) for element in tree.iter()}
    assert not names & {"script", "img", "em", "strong"}
    attributes = [name for element in tree.iter() for name in element.attrib]
    assert not [name for name in attributes if name.startswith("on")]
    title = tree.findtext(f".//{HTML}title")
    assert title == html._clean(words)
    assert [path.name for path in tmp_path.iterdir()] == ["page.html"]


@pytest.mark.parametrize("words", USERS.values(), ids=USERS)
def test_a_fragment_keeps_to_itself(words: str) -> None:
    written = html.fragment(page_of(words).sections[0])
    tree = ElementTree.fromstring(written)
    names = {element.tag.removeprefix(SVG) for element in tree.iter()}
    assert not names & {"script", "img", "em", "strong", "html", "body"}
    rules = re.sub(r"/\*.*?\*/|\{.*?\}", "", tree.findtext("style") or "", flags=re.DOTALL)
    selectors = [one.strip() for one in re.split(r"[,\n]", rules) if one.strip()]
    assert selectors and all(one.startswith(".rawbert") for one in selectors)


def test_it_needs_nothing_but_itself(tmp_path: Path) -> None:
    written = html.write(page_of("plain"), tmp_path / "page.html").read_text()
    found = re.findall(r'(?:src|href)="([^"]*)"|url\(([^)]*)\)|@import', written)
    addresses = {one or other for one, other in found}
    assert {address for address in addresses if not address.startswith("#")} == {"a/b.pb"}
    assert "<script" not in written


def test_every_identifier_is_the_only_one() -> None:
    bars = [("≤ 8", 3), ("≤ 12", 5)]
    drawn = [Plot(plots.columns(name, bars, "x", "y"), "said") for name in ("one", "two")]
    tree = ElementTree.fromstring(html.render(Page("page", [Section("a", drawn)])))
    names = [element.attrib["id"] for element in tree.iter() if "id" in element.attrib]
    assert len(names) == len(set(names)) > 10
    links = {v[1:] for e in tree.iter() for k, v in e.attrib.items() if k.endswith("href")}
    assert links <= set(names)


PLOTS = {
    "columns": lambda: plots.columns("p", [("$x$", 1), ("b", 0)], "x", "y"),
    "shares": lambda: plots.shares("p", [("$x$", [0.1, 0.2, 0.7])], ["$x$", "b", "c"]),
    "curves": lambda: plots.curves("p", range(1, 31), {"$x$": [0.1] * 30}, "y"),
    "intervals": lambda: plots.intervals(
        "p", [("$x$", 0.5, (0.4, 0.6)), ("b", 0.1, None)], "x", 0.5
    ),
    "matrix": lambda: plots.matrix("p", ["$x$", "b"], [[3, 0], [1, 0]]),
}


@pytest.mark.parametrize("draw", PLOTS.values(), ids=PLOTS)
def test_plots_take_the_pages_colours_and_keep_their_text(draw) -> None:
    svg = draw()
    ElementTree.fromstring(svg)
    assert "$x$" in svg
    assert "var(--" in svg and "currentColor" in svg
    drawn = set(re.findall(r"(?:fill|stroke): (#[0-9a-f]{6})", svg))
    assert drawn <= {"#000000"}  # the clip paths', never seen


def test_a_long_label_leaves_room() -> None:
    assert plots.short("x" * 100) == "x" * 23 + "…"
    assert plots.short("a\nb") == "a b"


@pytest.mark.parametrize("words", USERS.values(), ids=USERS)
def test_a_terminal_is_not_steered(words: str) -> None:
    output = io.StringIO()
    console = Console(file=output, width=200, highlight=False, soft_wrap=True)
    page = page_of(words.encode("utf-8", "replace").decode())
    terminal.show(page.sections, console)
    shown = output.getvalue()
    assert not [c for c in shown if c not in "\n\u200d" and not c.isprintable()]
    assert "█" * 40 in shown
    if words.isprintable() and words.isascii():
        assert words in shown
