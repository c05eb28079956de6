"""A model in this process, asked as through a client: no server, no ports."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from serving import calls
from serving.asked import Asked
from serving.calls import DEFAULT_SIGNATURE, Texts
from serving.errors import NotAModel
from serving.server import inference, warmup
from serving.server.servable import Servable
from serving.server.versions import open_base_path


class Local(Asked):
    """The newest version under a path, loaded through the server's own loader.

    Raises:
        NotAModel: nothing there can be loaded.
    """

    def __init__(self, path: str | Path) -> None:
        versions = open_base_path(path).versions()
        if not versions:
            raise NotAModel(path, "has no complete version", "Copy it again.")
        self.version, folder = list(versions.items())[-1]
        self._servable = Servable(folder, self.version)
        warmup.warm(self._servable)

    def predict_arrays(
        self, texts: Texts, signature: str = DEFAULT_SIGNATURE, *, outputs: Sequence[str] = ()
    ) -> dict[str, np.ndarray]:
        """As `Client.predict_arrays`: arrays `[batch, …]`."""
        return inference.predict(self._servable, signature, calls.inputs(texts), outputs)

    def close(self) -> None:
        """Frees the model."""
        self._servable.close()

    def __enter__(self) -> "Local":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
