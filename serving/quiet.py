"""Keeps TensorFlow's start-up chatter off the terminal of a command that only asks or serves."""

import logging
import os
import warnings


def quiet_tensorflow() -> None:
    """Call before TensorFlow is imported; what the user has set in the environment stays."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("GRPC_VERBOSITY", "ERROR")
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
    warnings.simplefilter("ignore", FutureWarning)
