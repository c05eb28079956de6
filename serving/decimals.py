"""Floats as the shortest decimals that read back the same."""

from typing import Any

import numpy as np


def shortest(array: np.ndarray) -> Any:
    """An array of floats as (nested lists of) Python floats, free of a double's extra digits.

    A float32 0.2 becomes 0.2; `tolist` would make 0.20000000298023224 of it.
    """
    if array.dtype == np.float64:
        return array.tolist()
    flat = np.empty(array.size, dtype=object)
    flat[:] = [float(str(value)) for value in array.ravel()]
    return flat.reshape(array.shape).tolist()
