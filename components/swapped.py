"""Something of TFX's, Beam's or tf.Transform's replaced while a pipeline is composed.

For what they offer no other way to, and find by name as they compose.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def swapped(module: Any, name: str, instead: Any) -> Iterator[None]:
    """``module.name`` is another one inside, and the usual one again after it, come what may."""
    usual = getattr(module, name)
    setattr(module, name, instead)
    try:
        yield
    finally:
        setattr(module, name, usual)
