"""A page's sections on a terminal."""

from collections.abc import Iterable

from rich.console import Console
from rich.markup import escape
from rich.table import Table as RichTable

from pipeline.page.blocks import Block, Cell, Facts, Marked, Plot, Sample, Section, Table, Text

_BAR = 40
_JOINERS = "\u200c\u200d"  # of letters and of emoji
_STYLE = {"good": "green", "bad": "red", "quiet": "dim"}


def show(sections: Iterable[Section], console: Console) -> None:
    """Prints sections one after the other; plots as bars where they can be."""
    for section in sections:
        console.print(f"\n[bold]{_said(section.title)}[/]")
        for block in section.blocks:
            _block(block, console)


def _block(block: Block, console: Console) -> None:
    if isinstance(block, Text):
        console.print(f"  {_styled(Cell(block.words, block.tone))}")
    elif isinstance(block, Table):
        _table(block, console)
    elif isinstance(block, Plot):
        _bars(block, console)
    elif isinstance(block, Sample):
        _sample(block, console)
    elif isinstance(block, Marked):
        parts = (f"[{words} {name}]" if name else words for words, name in block.parts)
        console.print(f"  {_said(''.join(parts))}")
    elif isinstance(block, Facts):
        for name, value in block.pairs:
            console.print(f"  {_said(name)}: {_said(value)}")


def _table(block: Table, console: Console) -> None:
    table = RichTable(box=None, padding=(0, 2), header_style="dim")
    for number, heading in enumerate(block.headings):
        words = number < block.texts
        table.add_column(_said(heading), justify="left" if words else "right")
    for row in block.cells():
        table.add_row(*map(_styled, row))
    if block.caption:
        console.print(f"  [dim]{_said(block.caption)}[/]")
    console.print(table, soft_wrap=False)


def _bars(block: Plot, console: Console) -> None:
    most = max((length for _, length in block.bars), default=0)
    names = [_plain(name) for name, _ in block.bars]
    wide = max(map(len, names), default=0)
    for name, (_, length) in zip(names, block.bars, strict=True):
        bar = "█" * max(length > 0, round(_BAR * length / max(1, most)))
        console.print(f"  {escape(name.rjust(wide))} {length:>8,}  {bar}")


def _sample(block: Sample, console: Console) -> None:
    console.print(f"\n  [bold]{_said(block.text)}[/]")
    pieces = (f"{piece.text}/{piece.tag}" if piece.tag else piece.text for piece in block.pieces)
    console.print("  " + _said(" ".join(pieces)))
    console.print(f"  [dim]ids   {' '.join(str(piece.id) for piece in block.pieces)}[/]")
    console.print(f"  [dim]types {' '.join(str(piece.type_id) for piece in block.pieces)}[/]")
    for note in block.notes:
        console.print(f"  [red]{_said(note)}[/]")


def _styled(cell: Cell) -> str:
    style = _STYLE.get(cell.tone)
    return f"[{style}]{_said(cell.words)}[/]" if style else _said(cell.words)


def _said(words: str) -> str:
    """A user's words on one line, with nothing in them that rich or a terminal would obey."""
    return escape(_plain(words))


def _plain(words: str) -> str:
    return "".join(c if c.isprintable() or c in _JOINERS else " " for c in words)
