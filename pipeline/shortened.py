"""A user's words where there is room for few."""


def shortened(words: str, most: int) -> str:
    """At most so many characters; an ellipsis stands for the rest.

    >>> shortened("a long label", 6)
    'a lon…'
    """
    return words if len(words) <= most else f"{words[: most - 1]}…"
