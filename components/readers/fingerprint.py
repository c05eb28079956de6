"""A fingerprint of what the data files hold, so that TFX's cache follows the content."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from components.splits import given_files

_BLOCK = 1 << 20


def fingerprint(data: str | Mapping[str, Any]) -> str:
    """BLAKE2b over every data file: its split, its folder's and its own name, its bytes.

    Times and the way to the files play no part: a touched or a moved file is the same data.

    Args:
        data: what TextExampleGen gets: JSON or a mapping, with ``path`` and maybe ``format``.

    Raises:
        BadInput: nothing is there.
    """
    wanted = json.loads(data) if isinstance(data, str) else data
    whole = hashlib.blake2b(digest_size=16)
    for split, files in given_files(wanted["path"], wanted.get("format")).items():
        for path in files:
            # The folder's name is a label where a folder is a class.
            whole.update(f"{split}/{path.parent.name}/{path.name}\0".encode())
            whole.update(_content(path))
    return whole.hexdigest()


def _content(path: Path) -> bytes:
    digest = hashlib.blake2b(digest_size=32)
    with path.open("rb") as stream:
        while block := stream.read(_BLOCK):
            digest.update(block)
    return digest.digest()
