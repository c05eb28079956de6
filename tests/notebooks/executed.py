"""What an executed notebook shows: its cells' outputs by kind."""

from html.parser import HTMLParser

from nbformat import NotebookNode

_VOID = {"br", "img", "input", "meta", "link", "hr"}


def code(notebook: NotebookNode) -> list[NotebookNode]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def cell_with(notebook: NotebookNode, words: str) -> NotebookNode:
    """The only code cell with these words."""
    [cell] = [one for one in code(notebook) if words in one.source]
    return cell


def errors(notebook: NotebookNode) -> list[NotebookNode]:
    return [o for cell in code(notebook) for o in cell.outputs if o.output_type == "error"]


def said(cell: NotebookNode) -> str:
    """What a cell printed."""
    return "".join(o.text for o in cell.outputs if o.output_type == "stream")


def shown(cell: NotebookNode, kind: str = "text/html") -> str:
    """What a cell displayed."""
    return "\n".join(o.data.get(kind, "") for o in cell.outputs if "data" in o)


class _Found(HTMLParser):
    """The texts of elements of a name and a class."""

    def __init__(self, name: str, kind: str) -> None:
        super().__init__(convert_charrefs=True)
        self._wanted, self._kind, self._open = name, kind, 0
        self.texts: list[str] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        kinds = (dict(attributes).get("class") or "").split()
        if self._open:
            self._open += tag not in _VOID
        elif tag == self._wanted and (not self._kind or self._kind in kinds):
            self._open = 1
            self.texts.append("")

    def handle_endtag(self, tag: str) -> None:
        self._open -= bool(self._open)

    def handle_data(self, data: str) -> None:
        if self._open:
            self.texts[-1] += data


def texts_of(html: str, name: str, kind: str = "") -> list[str]:
    """The texts of all elements of that name, and class."""
    found = _Found(name, kind)
    found.feed(html)
    return found.texts
