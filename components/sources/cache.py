"""The cache folder: whole things only, made beside their place and then renamed into it."""

import contextlib
import errno
import fcntl
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

_UNWRITABLE = {errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EEXIST}
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


class CacheUnusable(OSError):
    """The cache folder cannot be written: full, read-only, or not a folder."""


def cache_folder(cache: Path | None = None) -> Path:
    """The folder for downloads: `cache`, else $RAWBERT_CACHE, else ~/.cache/rawbert."""
    chosen = cache or os.environ.get("RAWBERT_CACHE") or Path.home() / ".cache" / "rawbert"
    return Path(chosen).expanduser().absolute()


@contextlib.contextmanager
def writing(folder: Path) -> Iterator[None]:
    """Turns the disk's refusals into one sentence that names `folder` and the fix.

    Raises:
        CacheUnusable: no space, no permission, a read-only disk, or a file where a folder must be.
    """
    try:
        yield
    except CacheUnusable:
        raise
    except OSError as error:
        if error.errno in _FULL:
            what = "the disk is full"
        elif error.errno in _UNWRITABLE:
            what = f"it cannot be written ({error.strerror})"
        else:
            raise
        fix = "Make room or set RAWBERT_CACHE to a folder that can be written."
        refused = CacheUnusable(f"{folder}: {what}. {fix}")
        refused.errno = error.errno
        raise refused from error


@contextlib.contextmanager
def locked(target: Path, waiting: Callable[[], None] | None = None) -> Iterator[None]:
    """Holds the lock beside `target`; the kernel lets go of it when a process is killed."""
    with writing(target.parent):
        target.parent.mkdir(parents=True, exist_ok=True)
        lock = target.with_name(target.name + ".lock").open("a")
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if waiting:
                waiting()
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def publish(target: Path, make: Callable[[Path], None]) -> Path:
    """Makes `target` (a file or a folder) whole or not at all, once among all processes.

    Args:
        target: where it will be; what is there already is taken as it is.
        make: writes the thing at the path it is given, which lies beside `target`.
    """
    if target.exists():
        return target
    with locked(target), writing(target.parent):
        half = target.with_name(target.name + ".half")
        discard(half)  # of a process that was killed: nobody else is in here
        if not target.exists():
            try:
                make(half)
                half.rename(target)
            finally:
                discard(half)
    return target


def discard(path: Path) -> None:
    """Removes a file or a folder, if it is there."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        with contextlib.suppress(FileNotFoundError):
            path.unlink()
