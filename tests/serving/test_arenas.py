"""How many heaps glibc has after many threads asked for memory at once, as it tells itself."""

import os
import platform
import subprocess
import sys

import pytest

PROGRAM = """
import ctypes, os, re, sys, tempfile, threading
from serving.arenas import an_arena_a_core
if "chosen" in sys.argv:
    an_arena_a_core()
libc = ctypes.CDLL(None)
libc.malloc.restype, libc.fopen.restype = ctypes.c_void_p, ctypes.c_void_p
together = threading.Barrier(64)
def ask():
    together.wait()
    libc.malloc(5000)
threads = [threading.Thread(target=ask) for _ in range(64)]
[thread.start() for thread in threads], [thread.join() for thread in threads]
path = tempfile.mkstemp()[1]
file = ctypes.c_void_p(libc.fopen(path.encode(), b"w"))
libc.malloc_info(0, file), libc.fclose(file)
print(len(re.findall("<heap nr", open(path).read())))
"""


def heaps(*arguments: str, **environment: str) -> int:
    kept = {name: value for name, value in os.environ.items() if name != "MALLOC_ARENA_MAX"}
    command = [sys.executable, "-c", PROGRAM, *arguments]
    told = subprocess.run(command, env={**kept, **environment}, capture_output=True, check=True)
    return int(told.stdout)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="arenas are glibc's")
def test_an_arena_a_core_and_what_the_user_set() -> None:
    cores = os.cpu_count() or 1
    assert heaps("chosen") <= cores < heaps()
    assert heaps("chosen", MALLOC_ARENA_MAX="3") == 3
