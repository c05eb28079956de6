"""The design of 2020: the tokenizer in the graph, every text padded to the longest allowed."""

from pathlib import Path

from contenders.rawbert import Answer, saved_model


def load(folders: dict[str, str], threads: int, max_tokens: int) -> Answer:
    """See `fixed_length_model.py`, which makes it."""
    return saved_model(Path(folders["fixed"]), threads)
