"""A model in this process, asked as through a client: no server, no ports."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from serving import tensors
from serving.client import Texts
from serving.errors import NotAModel
from serving.rows import rows
from serving.server import inference, warmup
from serving.server.servable import Servable
from serving.server.versions import open_base_path


class Local:
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

    def predict(
        self, texts: Texts, signature: str = "serving_default", *, outputs: Sequence[str] = ()
    ) -> list[dict[str, Any]]:
        """As `Client.predict`: one dict a text."""
        return rows(self.predict_arrays(texts, signature, outputs=outputs))

    def predict_arrays(
        self, texts: Texts, signature: str = "serving_default", *, outputs: Sequence[str] = ()
    ) -> dict[str, np.ndarray]:
        """As `Client.predict_arrays`: arrays `[batch, …]`."""
        inputs = texts if isinstance(texts, dict) else {"text": texts}
        arrays = {name: tensors.strings(list(values)) for name, values in inputs.items()}
        return inference.predict(self._servable, signature, arrays, outputs)

    def close(self) -> None:
        """Frees the model."""
        self._servable.close()

    def __enter__(self) -> "Local":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
