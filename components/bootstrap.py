"""A Poisson bootstrap of counts, whose parts can be counted anywhere and added up.

A resample of the texts is every text taken so many times as a Poisson variable of mean 1 says
(N. Chamandy et al., "Estimating uncertainty for massive data streams", 2012). What is drawn for a
text follows from its bytes alone: no order of texts and no number of workers changes the result.
"""

import hashlib

import numpy as np

RESAMPLES = 400
METHOD = f"Poisson bootstrap over texts, {RESAMPLES} resamples, 95 %"
_TAILS = (2.5, 97.5)


def seed_of(text: bytes) -> int:
    """What a text's draws follow from."""
    return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "little")


def weights(seed: int) -> np.ndarray:
    """How often a text counts: once as measured, then in every resample; [1 + RESAMPLES]."""
    drawn = np.random.default_rng(seed).poisson(1.0, RESAMPLES)
    return np.concatenate([[1], drawn])


def interval(figures: np.ndarray) -> tuple[float, float]:
    """The middle 95 % of a figure's resamples; ``figures`` is [1 + RESAMPLES]."""
    low, high = np.percentile(figures[1:], _TAILS)
    return float(low), float(high)
