"""Texts that a served model has to answer besides those of its data."""

ODD_TEXTS: dict[str, bytes] = {
    "empty": b"",
    "spaces": b"  \t\n",
    "100 kB": b"A long review, word after word. " * 3200,
    "one word of 100 kB": b"x" * 100_000,
    "invalid UTF-8": b"caf\xe9 \xff\xfe \xe2\x82 end",
    "NUL bytes": b"before\x00after\x00",
    "right-to-left": "مرحبا بالعالم שלום עולם".encode(),
    "emoji": "👩‍👩‍👧‍👦 👍🏽 🇨🇭".encode(),
    "CJK": "这部电影很好看。日本語".encode(),
    "combining marks": "e\u0301 a\u030a\u0328 \u0301".encode(),
    "control and format characters": "a\u0007b\u00ad c\u200bd\ufeff".encode(),
    "unpaired surrogate": b"\xed\xa0\x80",
}

MANY_ROWS = 128


def named(texts: list[bytes]) -> dict[str, bytes]:
    """The data's texts by number, then the odd ones by name."""
    return {**{f"text {n} of the data": text for n, text in enumerate(texts)}, **ODD_TEXTS}


def spread(texts: list[bytes], count: int) -> list[bytes]:
    """`count` of them, evenly over the whole list, in its order; all if they are fewer."""
    if len(texts) <= count:
        return texts
    return [texts[position * len(texts) // count] for position in range(count)]
