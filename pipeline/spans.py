"""A text cut at its entities, for whoever marks them in it."""

from collections.abc import Iterable, Iterator
from typing import AnyStr


def parts(text: AnyStr, spans: Iterable[tuple[int, int, str]]) -> Iterator[tuple[AnyStr, str]]:
    """The whole text in parts, each with its entity's type; "" between entities.

    >>> list(parts("Ada saw.", [(0, 3, "PER")]))
    [('', ''), ('Ada', 'PER'), (' saw.', '')]

    Args:
        text: characters or bytes, whichever the spans count.
        spans: (start, end, type) in order, without overlap.
    """
    reached = 0
    for start, end, kind in spans:
        yield text[reached:start], ""
        yield text[start:end], kind
        reached = end
    yield text[reached:], ""
