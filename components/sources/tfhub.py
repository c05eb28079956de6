"""`tfhub:URL`: SavedModels that a server gives away by TensorFlow Hub's protocol.

The protocol (https://www.tensorflow.org/hub/hosting) is a handle, a URL that ends in a version;
with `?tf-hub-format=compressed` the server answers a .tar.gz. It is spoken here, not by the library
`tensorflow_hub`: 0.15, the newest that TFX allows, imports with neither of our TensorFlows.
"""

import contextlib
import hashlib
import re
import tarfile
from pathlib import Path
from urllib.parse import urlsplit

from components.sources.cache import cache_folder, discard, publish
from components.sources.download import download
from components.sources.pip_settings import Session, read_settings
from components.sources.progress import Progress, silent
from trainer.errors import BadInput


def resolve(source: str, cache: Path | None = None, progress: Progress = silent) -> Path:
    """The SavedModel's folder in the cache.

    Args:
        source: http(s)://HOST/PUBLISHER/MODEL/VERSION.
        cache: the cache folder, if not the usual one.
        progress: told of the download.

    Raises:
        BadInput: no such handle, or no SavedModel behind it.
        OSError: the network or the disk is at fault.
    """
    if not re.fullmatch(r"https?://[^/]+/.+/\d+", source):
        raise BadInput(
            "a handle is a whole URL that ends in a version.",
            where=f"tfhub:{source}",
            fix="Write tfhub:https://HOST/PUBLISHER/MODEL/VERSION; models that have moved to "
            "Kaggle are kaggle:OWNER/MODEL/tensorFlow2/VARIATION/VERSION.",
        )
    name = urlsplit(source).path.strip("/").replace("/", "_")
    home = (
        cache_folder(cache) / "tfhub" / f"{name}-{hashlib.sha256(source.encode()).hexdigest()[:8]}"
    )
    folder = home / "model"
    if folder.exists():
        return folder
    # The user's proxy and certificates, as pip has them; no hash is published by this protocol.
    session, address = Session(read_settings()), f"{source}?tf-hub-format=compressed"
    archive = download(address, home / "model.tar.gz", None, session, progress=progress)
    return publish(folder, lambda half: _unpack(archive, half, f"tfhub:{source}"))


def _unpack(archive: Path, folder: Path, where: str) -> None:
    try:
        with tarfile.open(archive) as tar:
            tar.extractall(folder, filter="data")  # refuses paths and links that lead outside
    except (tarfile.TarError, EOFError, OSError) as error:
        if not isinstance(error, OSError) or error.errno is None:  # else it is the disk
            discard(archive)
            fix = "Check the handle: the server may answer with a page instead of a model."
            raise BadInput(f"no .tar.gz came ({error}).", where=where, fix=fix) from error
        raise
    with contextlib.suppress(OSError):
        archive.unlink()
