"""Four kinds of texts, all from the quickstart's movie reviews."""

import random
import re

LENGTHS = ("reviews", "sentences", "mixed", "all-128")
_WORDS = 140  # of a document: it fills 128 pieces whatever its words


def workloads(reviews: list[str]) -> dict[str, list[str]]:
    """Texts by kind, each kind in random order, the same each time.

    Args:
        reviews: of one to three sentences each, 29 pieces on average.

    Returns:
        ``reviews`` as they are; ``sentences``, the first of each; ``mixed``, sentences with one
        document of several reviews among eight; ``all-128``, documents that are cut to one length,
        so that no contender pads.
    """
    order = random.Random(7)
    documents = [_document(reviews, order) for _ in range(len(reviews) // 4)]
    sentences = [re.split(r"(?<=[.!?;])\s", text)[0] for text in reviews]
    mixed = [order.choice(documents if n % 8 == 0 else sentences) for n in range(len(reviews))]
    for texts in (mixed, documents):
        order.shuffle(texts)
    return dict(zip(LENGTHS, (reviews, sentences, mixed, documents), strict=True))


def batches(texts: list[str], size: int, count: int) -> list[list[str]]:
    """``count`` batches in the texts' order, which begins again where it ends."""
    return [
        [texts[(size * number + i) % len(texts)] for i in range(size)] for number in range(count)
    ]


def _document(reviews: list[str], order: random.Random) -> str:
    words: list[str] = []
    while len(words) < _WORDS:
        words += order.choice(reviews).split()
    return " ".join(words)
