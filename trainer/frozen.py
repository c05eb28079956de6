"""A setting of TensorFlow that is for servers alone: what is trained would stay as it begins."""

import os

from trainer.errors import BadInput

VARIABLE = "TF_ONEDNN_ASSUME_FROZEN_WEIGHTS"


def refuse_frozen_weights() -> None:
    """Where weights are to be trained.

    TensorFlow reads the variable once in a process, when its first product is made: taking it away
    may be too late.

    Raises:
        BadInput: TensorFlow would multiply by the weights of the first step for ever.
    """
    if os.environ.get(VARIABLE, "").lower() in ("1", "true"):
        raise BadInput(
            "nothing would be learned: TensorFlow keeps the weights as they are at first",
            where=f"{VARIABLE}={os.environ[VARIABLE]}",
            fix="Take it out of the environment of training; it is for servers.",
        )
