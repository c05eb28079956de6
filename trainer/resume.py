"""The state of a training that was cut off, an epoch a file.

A file is written under another name and renamed when it is whole, so a killed run leaves either
the epoch or nothing. Format: safetensors (huggingface.co/docs/safetensors), history in its header.
"""

import json
import os
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from safetensors import SafetensorError
from safetensors import numpy as safetensors

_STATE = "state.safetensors"


class Checkpoint:
    """Saves and restores variables and history in a folder.

    Args:
        folder: local or remote; belongs to this training alone.
        variables: everything that changes while training, in a fixed order.
    """

    def __init__(self, folder: str, variables: list[keras.Variable]) -> None:
        self._folder, self._variables = folder, variables
        self._path = os.path.join(folder, _STATE)

    def save(self, history: dict[str, Any], best: list[np.ndarray]) -> None:
        """Writes the state after an epoch.

        Args:
            history: JSON-able account of the epochs so far.
            best: arrays of the best epoch's weights.
        """
        tensors = {f"now/{i}": np.asarray(v) for i, v in enumerate(self._variables)}
        tensors |= {f"best/{i}": array for i, array in enumerate(best)}
        tf.io.gfile.makedirs(self._folder)
        whole = safetensors.save(tensors, metadata={"history": json.dumps(history)})
        with tf.io.gfile.GFile(self._path + ".part", "wb") as file:
            file.write(whole)
        tf.io.gfile.rename(self._path + ".part", self._path, overwrite=True)

    def restore(self) -> tuple[dict[str, Any], list[np.ndarray]] | None:
        """Puts the saved state into the variables; history and best weights, or None."""
        if not tf.io.gfile.exists(self._path):
            return None
        with tf.io.gfile.GFile(self._path, "rb") as file:
            whole = file.read()
        try:
            tensors = safetensors.load(whole)
        except SafetensorError:
            return None
        header = json.loads(whole[8 : 8 + int.from_bytes(whole[:8], "little")])
        for i, variable in enumerate(self._variables):
            variable.assign(tensors[f"now/{i}"])
        best = [tensors[f"best/{i}"] for i in range(len(tensors) - len(self._variables))]
        return json.loads(header["__metadata__"]["history"]), best

    def delete(self) -> None:
        """Removes the folder; the training is done."""
        if tf.io.gfile.exists(self._folder):
            tf.io.gfile.rmtree(self._folder)
