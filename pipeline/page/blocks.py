"""What a page is made of. A section says what there is to see; a view says how it looks.

Words may be a user's: the views escape them. Figures come written out (``"10,260"``).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Literal

Tone = Literal["", "good", "bad", "quiet"]


@dataclass(frozen=True)
class Text:
    """A paragraph."""

    words: str
    tone: Tone = ""
    kind: ClassVar[str] = "text"


@dataclass(frozen=True)
class Facts:
    """Names and what they are."""

    pairs: Sequence[tuple[str, str]]
    kind: ClassVar[str] = "facts"


@dataclass(frozen=True)
class Cell:
    """A table's cell that is good or bad news."""

    words: str
    tone: Tone = ""


Row = Sequence[str | Cell]


@dataclass(frozen=True)
class Table:
    """Rows under headings.

    Attributes:
        headings: of the columns.
        rows: cells as they are shown.
        texts: so many columns from the left are words; the others are figures.
        caption: what it shows.
    """

    headings: Sequence[str]
    rows: Sequence[Row]
    texts: int = 1
    caption: str = ""
    kind: ClassVar[str] = "table"

    def cells(self) -> list[list[Cell]]:
        """The rows, every cell with its tone."""
        return [[c if isinstance(c, Cell) else Cell(c) for c in row] for row in self.rows]


@dataclass(frozen=True)
class Plot:
    """A drawing.

    Attributes:
        svg: an element that may stand in HTML.
        said: what is to be seen in it, in words.
        bars: the same for a terminal, where that is possible: name ▶ length.
    """

    svg: str
    said: str
    bars: Sequence[tuple[str, int]] = ()
    kind: ClassVar[str] = "plot"


@dataclass(frozen=True)
class Commands:
    """Lines to be copied into a shell or a file."""

    lines: Sequence[str]
    kind: ClassVar[str] = "commands"


@dataclass(frozen=True)
class Links:
    """Files beside the page: (words, relative address)."""

    targets: Sequence[tuple[str, str]]
    kind: ClassVar[str] = "links"


@dataclass(frozen=True)
class Document:
    """Markdown."""

    markdown: str
    kind: ClassVar[str] = "document"


@dataclass(frozen=True)
class Piece:
    """One piece of a text.

    Attributes:
        type_id: of the segment that it belongs to.
        tag: of the word that it begins; empty where there is none.
    """

    text: str
    id: int
    type_id: int
    tag: str = ""


@dataclass(frozen=True)
class Sample:
    """A text beside its pieces, and notes on it."""

    text: str
    pieces: Sequence[Piece]
    notes: Sequence[str] = ()
    kind: ClassVar[str] = "sample"


@dataclass(frozen=True)
class Marked:
    """A text with spans marked in it.

    Attributes:
        parts: the text in order, each part with the name of its mark; empty where it is plain.
    """

    parts: Sequence[tuple[str, str]]
    kind: ClassVar[str] = "marked"

    def hued(self) -> list[tuple[str, str, int]]:
        """The parts, each with a hue in degrees: equal names have equal ones."""
        return [(words, name, 47 * sum(map(ord, name)) % 360) for words, name in self.parts]


Block = Text | Facts | Table | Plot | Commands | Links | Document | Sample | Marked


@dataclass(frozen=True)
class Section:
    """A heading and what stands under it."""

    title: str
    blocks: Sequence[Block]


@dataclass(frozen=True)
class Page:
    """A whole page.

    Attributes:
        title: of the page.
        verdict: in a word or two, with its tone.
        lead: one paragraph under the title.
        tiles: the few figures that are looked for first.
        sections: in order.
    """

    title: str
    sections: Sequence[Section]
    verdict: Cell | None = None
    lead: str = ""
    tiles: Sequence[tuple[str, str]] = field(default_factory=tuple)
