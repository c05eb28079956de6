"""The SavedModel that was pushed with `serve.precision: bfloat16`."""

from pathlib import Path

from contenders.rawbert import Answer, saved_model


def load(folders: dict[str, str], threads: int, max_tokens: int) -> Answer:
    """Ours, in bfloat16."""
    return saved_model(Path(folders["bfloat16"]), threads)
