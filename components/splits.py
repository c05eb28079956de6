"""Which split a row belongs to: given by the user, or cut by a hash of its text."""

import hashlib
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from components.readers import expand
from trainer.errors import BadInput

SPLITS = ("train", "eval", "test")
_TENTHS = {8: "eval", 9: "test"}  # the other eight tenths are train


def given_files(
    path: str | Sequence[str] | Mapping[str, Any], format: str | None = None
) -> dict[str, list[Path]]:
    """Files by split; a path without splits is all train, to be cut.

    Raises:
        BadInput: an unknown split, no train split, or a path where nothing is.
    """
    if not isinstance(path, Mapping):
        return {"train": expand(path, format)}
    for name in path:
        if name not in SPLITS:
            raise BadInput(
                f"unknown split {name!r}", where="data.path", fix=f"Known: {', '.join(SPLITS)}."
            )
    if not path.get("train"):
        raise BadInput("there is no train split", where="data.path", fix="Give `train:` a path.")
    return {name: expand(files, format) for name, files in path.items() if files}


def text_hash(texts: Sequence[str]) -> int:
    """64 bits of BLAKE2b over the bytes of a row's text (pairs: both texts).

    The label plays no part: copies of a text get one hash, whatever their labels.
    """
    digest = hashlib.blake2b(digest_size=8)
    for text in texts:
        raw = text.encode()
        digest.update(len(raw).to_bytes(8, "little"))  # ("ab", "c") is not ("a", "bc")
        digest.update(raw)
    return int.from_bytes(digest.digest(), "little")


def cut(hashed: int, given: Collection[str]) -> str:
    """The split of a row of the train files.

    Of ten tenths of hashes one goes to eval and one to test; a split that the user gave takes
    nothing from train. So: nothing given 80/10/10, only eval or only test missing 90/10.
    """
    split = _TENTHS.get(hashed % 10, "train")
    return "train" if split in given else split
