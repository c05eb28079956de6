"""How far a share may be off, seen how few texts it was measured on."""

import math

METHOD = "Wilson's score interval, 95 %"
_Z = 1.959964  # of the standard normal distribution, 2.5 % on either side


def wilson(share: float, count: int) -> tuple[float, float]:
    """Wilson's 95 % score interval of a share of ``count`` independent texts.

    Unlike the plain normal one it stays within 0 and 1 and has a width where all were right
    (E. B. Wilson, "Probable inference, the law of succession, and statistical inference", 1927).

    >>> [round(bound, 3) for bound in wilson(0.9, 100)]
    [0.826, 0.945]
    """
    if count <= 0:
        return 0.0, 1.0
    square = _Z * _Z / count
    middle = (share + square / 2) / (1 + square)
    reach = _Z / (1 + square) * math.sqrt(share * (1 - share) / count + square / (4 * count))
    return max(0.0, middle - reach), min(1.0, middle + reach)
