"""Whether a contender is to use a GPU: `contender.py` hides them all if not."""

import os


def wanted() -> bool:
    """Whether GPUs are left to be seen."""
    return os.environ.get("CUDA_VISIBLE_DEVICES", "all") != ""
