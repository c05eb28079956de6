"""txt: a folder per class, a file per text (the layout of the IMDB reviews)."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from components.readers.opening import MAX_LINE, open_bytes
from components.readers.rows import BadRow, Row, decode, fault
from trainer.errors import BadInput

COLUMNS = ("text", "label")


def read_text(path: Path, columns: Sequence[str] | None) -> Iterator[Row | BadRow]:
    """The file as one row: ``text`` is what it holds, ``label`` the folder it is in.

    The line end that editors put at the end of a file is not part of the text.
    """
    with open_bytes(path) as stream:
        raw = stream.read(MAX_LINE + 1)
    if len(raw) > MAX_LINE:
        raise BadInput("a text of over 16 MiB", where=str(path))
    text = decode(raw.removeprefix(b"\xef\xbb\xbf")).removesuffix("\n").removesuffix("\r")
    if reason := fault(text):
        yield BadRow(str(path), _first_bad_line(text), reason)
        return
    values = {"text": text, "label": path.absolute().parent.name}
    yield Row({name: values[name] for name in columns or COLUMNS}, str(path), 1)


def _first_bad_line(text: str) -> int:
    return next(n for n, line in enumerate(text.split("\n"), start=1) if fault(line))
