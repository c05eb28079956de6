"""A digest of our own code, so that TFX's cache follows it.

TFX's cache compares inputs and properties. A changed `preprocessing_fn` under the same import path
would go unnoticed; its digest, as one more property, does not.
"""

import hashlib
from pathlib import Path

import trainer


def code_digest(*parts: str, root: Path = Path(trainer.__file__).parent) -> str:
    """Digest of source files of one of our packages.

    Args:
        parts: files or folders below it, e.g. ``"text"``, ``"preprocessing.py"``; none for all.
        root: the package's folder, `trainer`'s unless another is named.
    """
    whole = hashlib.sha256()
    for part in parts or (".",):
        path = root / part
        for file in sorted(path.rglob("*.py")) if path.is_dir() else [path]:
            whole.update(f"{file.relative_to(root)}\0".encode() + file.read_bytes())
    return whole.hexdigest()[:16]
