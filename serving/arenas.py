"""How many heaps glibc makes for a server's threads."""

import ctypes
import os

_M_ARENA_MAX = -8  # of malloc.h
_CHOSEN_BY_USER = ("MALLOC_ARENA_MAX", "GLIBC_TUNABLES")


def an_arena_a_core() -> None:
    """For a process that serves: call it before threads are there.

    By default there are up to eight a core, and requests of any length by any thread leave holes in
    each: memory goes on growing for a hundred thousand requests. What the user has set in the
    environment stays; where malloc is not glibc's, nothing happens.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt and not any(name in os.environ for name in _CHOSEN_BY_USER):
        mallopt(_M_ARENA_MAX, os.cpu_count() or 1)
