"""Files of data, and tagged rows as a test reads them."""

from pathlib import Path

from components.readers import BadRow, Row


def write(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def told(row: Row | BadRow) -> tuple[str, list[tuple[str, str]]]:
    """(text, [(entity, type)]) of a row, which is what its byte offsets say."""
    assert isinstance(row, Row) and row.spans, row
    spans, raw = row.spans, row.values["text"].encode()
    cut = [raw[s:e].decode() for s, e in zip(spans.starts, spans.ends, strict=True)]
    return row.values["text"], list(zip(cut, spans.types, strict=True))


def entities(row: Row | BadRow) -> list[tuple[str, str]]:
    return told(row)[1]
