"""The pushed SavedModel in a process whose environment has TensorFlow keep packed weights."""

import os

os.environ["TF_ONEDNN_ASSUME_FROZEN_WEIGHTS"] = "1"

from contenders.rawbert import load

__all__ = ["load"]
