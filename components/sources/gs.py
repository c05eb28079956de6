"""`gs://BUCKET/PATH`: a file, a pattern or a folder of a bucket, copied to the cache as it is now.

TensorFlow's own file system reads the bucket, with the credentials that the machine has.
"""

import hashlib
import re
from pathlib import Path

from components.sources.cache import cache_folder, publish
from components.sources.progress import Progress, silent
from trainer.errors import BadInput


def resolve(source: str, cache: Path | None = None, progress: Progress = silent) -> Path:
    """The local copy; a pattern stays one.

    Args:
        source: //BUCKET/PATH.
        cache: the cache folder.
        progress: told each file and its bytes.

    Raises:
        BadInput: nothing is there.
        OSError: the bucket cannot be read.
    """
    return copy(f"gs:{source}", cache_folder(cache) / "gs", progress)


def copy(url: str, folder: Path, progress: Progress = silent) -> Path:
    """Copies what a URL of `tf.io.gfile` names; under the same names, so that a pattern holds.

    Args:
        url: a file, a pattern or a folder.
        folder: copies lie below it by a digest of names, sizes and times: what has changed in the
            bucket is copied anew.
    """
    import tensorflow as tf

    try:
        files = {name: tf.io.gfile.stat(name) for name in _files(url)}
        digest = hashlib.sha256()
        for name, stat in files.items():
            digest.update(f"{name} {stat.length} {stat.mtime_nsec}\n".encode())
        root = _root(url)

        def make(half: Path) -> None:
            for name, stat in files.items():
                target = half / name.removeprefix(root)
                target.parent.mkdir(parents=True, exist_ok=True)
                tf.io.gfile.copy(name, str(target))
                progress(name, stat.length, stat.length)

        return publish(folder / digest.hexdigest()[:16], make) / url.removeprefix(root)
    except tf.errors.OpError as error:
        raise OSError(f"{url}: cannot be read ({error.message}).") from error


def _root(url: str) -> str:
    """The folder that holds all that the URL names, with its slash."""
    fixed = re.split(r"[*?[]", url.rstrip("/"), maxsplit=1)[0]
    return fixed.rpartition("/")[0] + "/"


def _files(url: str) -> list[str]:
    import tensorflow as tf

    found = tf.io.gfile.glob(url.rstrip("/"))
    files = [
        f"{where.rstrip('/')}/{name}"
        for one in found
        if tf.io.gfile.isdir(one)
        for where, _, names in tf.io.gfile.walk(one)
        for name in names
    ]
    files += [one for one in found if not tf.io.gfile.isdir(one)]
    if not files:
        raise BadInput("nothing is there.", where=url, fix="Does this machine's account see it?")
    return sorted(files)
