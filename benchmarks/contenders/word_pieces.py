"""Tokenization for the peers: Hugging Face's tokenizers, called directly."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from tokenizers.implementations import BertWordPieceTokenizer

Arrays = dict[str, np.ndarray]


def tokenizer(folder: str, max_tokens: int) -> Callable[[list[str]], Arrays]:
    """A function that takes texts to ids, mask and types, [texts, longest] int64 each."""
    pieces = BertWordPieceTokenizer(str(Path(folder) / "vocab.txt"), lowercase=True)
    pieces.enable_truncation(max_tokens)
    pieces.enable_padding()

    def arrays(texts: list[str]) -> Arrays:
        encoded = pieces.encode_batch(texts)
        return {
            "input_ids": np.array([one.ids for one in encoded], np.int64),
            "attention_mask": np.array([one.attention_mask for one in encoded], np.int64),
            "token_type_ids": np.array([one.type_ids for one in encoded], np.int64),
        }

    return arrays


def softmax(logits: np.ndarray) -> np.ndarray:
    """Over the last axis."""
    exponents = np.exp(logits - logits.max(-1, keepdims=True))
    return exponents / exponents.sum(-1, keepdims=True)
