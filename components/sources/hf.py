"""`hf:ORG/NAME[@REVISION]`: encoders of the Hugging Face hub, through `huggingface_hub`.

The library resumes, verifies and caches; endpoint, token, proxy and offline mode are the user's own
(HF_ENDPOINT, HF_TOKEN, HF_HUB_OFFLINE …). Only the files that we read are fetched.
"""

import os
from pathlib import Path

from components.sources.cache import cache_folder, writing
from components.sources.index import Unreachable
from components.sources.layout import FILES, check_layout
from components.sources.progress import Progress, silent
from trainer.errors import BadInput


def resolve(source: str, cache: Path | None = None, progress: Progress = silent) -> Path:
    """The snapshot's folder in the cache.

    Args:
        source: ORG/NAME, with @REVISION for a branch, a tag or a commit.
        cache: the cache folder; without one, and without RAWBERT_CACHE, the hub's own is used, so
            that what other programs brought is not brought twice.
        progress: not used: the library shows its own.

    Raises:
        BadInput: no such repository or revision, no access, or no BERT encoder inside.
        Unreachable: the hub does not answer.
    """
    repository, _, revision = source.partition("@")
    own = cache is not None or "RAWBERT_CACHE" in os.environ
    target = str(cache_folder(cache) / "hf") if own else None
    with writing(cache_folder(cache) if own else Path.home()):
        folder = _snapshot(repository, revision or None, target, f"hf:{source}")
    if not folder.is_dir():
        fix = "Choose a repository with config.json, model.safetensors and vocab.txt."
        raise BadInput(
            "the repository holds none of an encoder's files.", where=f"hf:{source}", fix=fix
        )
    check_layout(folder, f"hf:{source}")
    return folder


def _snapshot(repository: str, revision: str | None, cache: str | None, where: str) -> Path:
    from huggingface_hub import errors, snapshot_download

    try:
        return Path(
            snapshot_download(
                repository,
                revision=revision,
                cache_dir=cache,
                allow_patterns=[*FILES, "README.md"],  # the card tells the licence
            )
        )
    except errors.HFValidationError as error:
        fix = "Write hf:ORG/NAME or hf:ORG/NAME@REVISION."
        raise BadInput(
            f"that is no name of a repository ({error}).", where=where, fix=fix
        ) from error
    except errors.GatedRepoError as error:
        fix = "Ask for access on its page, then set HF_TOKEN or run `hf auth login`."
        raise BadInput("its publisher grants access by request.", where=where, fix=fix) from error
    except errors.RepositoryNotFoundError as error:
        fix = "Check the name; for a private one set HF_TOKEN or run `hf auth login`."
        raise BadInput("the hub has no such repository.", where=where, fix=fix) from error
    except errors.RevisionNotFoundError as error:
        fix = "Name a branch, tag or commit that its page shows, or leave @REVISION out."
        raise BadInput(f"it has no revision {revision}.", where=where, fix=fix) from error
    except (errors.HfHubHTTPError, errors.LocalEntryNotFoundError, ConnectionError) as error:
        raise Unreachable(
            f"{where}: the hub does not give it, and it is not in the cache "
            f"({str(error).splitlines()[0]}). Check network, proxy and HF_ENDPOINT; HF_HUB_OFFLINE "
            "must not be set; or name a local folder that holds it."
        ) from error
