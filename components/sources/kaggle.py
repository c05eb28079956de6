"""`kaggle:OWNER/MODEL/FRAMEWORK/VARIATION[/VERSION]`: models of Kaggle, through `kagglehub`.

The library caches and verifies; credentials and KAGGLEHUB_CACHE are the user's own.
"""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from components.sources.cache import cache_folder, writing
from components.sources.index import Unreachable
from components.sources.progress import Progress, silent
from trainer.errors import BadInput


def resolve(source: str, cache: Path | None = None, progress: Progress = silent) -> Path:
    """The model's folder in the library's cache, as Kaggle has it.

    Args:
        source: the handle; with a VERSION a cached model needs no network.
        cache: the cache folder; without one, and without RAWBERT_CACHE, the library's own.
        progress: not used: the library shows its own.

    Raises:
        BadInput: no such model, or no access.
        Unreachable: Kaggle does not answer.
    """
    import requests
    from kagglehub import exceptions, model_download

    where = f"kaggle:{source}"
    own = cache is not None or "RAWBERT_CACHE" in os.environ
    folder = cache_folder(cache) / "kaggle" if own else Path.home()
    try:
        with writing(folder), _cache_at(folder if own else None):
            return Path(model_download(source))
    except ValueError as error:
        fix = "Write kaggle:OWNER/MODEL/FRAMEWORK/VARIATION or …/VERSION, as its page has it."
        raise BadInput(f"that is no model's handle ({error}).", where=where, fix=fix) from error
    except (exceptions.KaggleApiHTTPError, exceptions.NotFoundError) as error:
        status = getattr(getattr(error, "response", None), "status_code", 404)
        if status >= 500:
            raise Unreachable(f"{where}: Kaggle answers {status}. Try again later.") from error
        fix = "Check the handle; some models want a login (kagglehub.login()) and their licence."
        raise BadInput("Kaggle does not give this model.", where=where, fix=fix) from error
    except (requests.RequestException, exceptions.BackendError) as error:
        raise Unreachable(
            f"{where}: Kaggle does not answer ({type(error).__name__}), and the model is not in "
            "the cache. Check network and proxy, or name a local folder that holds the model."
        ) from error


@contextlib.contextmanager
def _cache_at(folder: Path | None) -> Iterator[None]:
    """The library takes its cache folder from the environment alone."""
    before = os.environ.get("KAGGLEHUB_CACHE")
    if folder is None or before is not None:
        yield
        return
    os.environ["KAGGLEHUB_CACHE"] = str(folder)
    try:
        yield
    finally:
        del os.environ["KAGGLEHUB_CACHE"]
