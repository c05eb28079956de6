"""What stands beyond a row's end, the same in training and in what is served."""

from collections.abc import Iterable

from trainer.text.labels import UNKNOWN


def pads(columns: Iterable[str], pad_id: int) -> dict[str, int]:
    """The value of each column of tokens where there is no token.

    >>> pads(["input_word_ids", "input_mask", "starts"], pad_id=9)
    {"input_word_ids": 9, "input_mask": 0, "starts": -1}

    Args:
        columns: names of Transform's outputs that have a number a token.
        pad_id: the vocabulary's [PAD].
    """
    special = {"input_word_ids": pad_id, "tag_ids": UNKNOWN, "starts": -1, "ends": -1}
    return {name: special.get(name, 0) for name in columns}
