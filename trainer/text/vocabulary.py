"""The WordPiece vocabulary: one piece a line, the line's number from 0 is the piece's id.

Parsing needs no TensorFlow, so that a recipe's check need not wait for it; reading does, which
knows remote files.
"""

import hashlib
from collections import Counter
from dataclasses import dataclass

from trainer.errors import BadInput

_NEEDED = ("[PAD]", "[UNK]", "[CLS]", "[SEP]")


@dataclass(frozen=True)
class Vocabulary:
    """The pieces of a vocabulary file, and its special pieces by name.

    >>> vocabulary = Vocabulary.read("vocab.txt")
    >>> vocabulary.cls, vocabulary.id("the")
    (101, 1996)
    """

    tokens: list[str]
    ids: dict[str, int]
    path: str
    digest: str  # SHA-256 of the file

    @classmethod
    def read(cls, path: str) -> "Vocabulary":
        """Reads a vocabulary file, local or remote.

        Raises:
            BadInput: the file is not there, or as `parse`.
        """
        import tensorflow as tf

        try:
            with tf.io.gfile.GFile(path, "rb") as file:
                content = file.read()
        except tf.errors.NotFoundError as error:
            raise BadInput(
                "there is no vocabulary.", where=str(path), fix="Put the encoder's vocab.txt there."
            ) from error
        return cls.parse(content, str(path))

    @classmethod
    def parse(cls, content: bytes, path: str) -> "Vocabulary":
        """The vocabulary of a file's bytes: UTF-8, one piece a line.

        Raises:
            BadInput: it is empty or not UTF-8, has an empty line or the same piece twice, or lacks
                one of [PAD], [UNK], [CLS] and [SEP].
        """
        tokens = _lines(content, path)
        _check(tokens, path)
        ids = {token: number for number, token in enumerate(tokens)}
        return cls(tokens, ids, path, hashlib.sha256(content).hexdigest())

    def id(self, token: str) -> int:
        """The id of a piece; BadInput if the vocabulary lacks it."""
        if token not in self.ids:
            raise BadInput(
                f"the vocabulary has no {token}.",
                where=self.path,
                fix=f"Add the line {token}, or take the vocabulary that belongs to the encoder.",
            )
        return self.ids[token]

    @property
    def pad(self) -> int:
        """The id of [PAD]."""
        return self.id("[PAD]")

    @property
    def unk(self) -> int:
        """The id of [UNK]."""
        return self.id("[UNK]")

    @property
    def cls(self) -> int:
        """The id of [CLS]."""
        return self.id("[CLS]")

    @property
    def sep(self) -> int:
        """The id of [SEP]."""
        return self.id("[SEP]")

    @property
    def mask(self) -> int:
        """The id of [MASK]; only pretraining needs one, so it is looked for only when asked."""
        return self.id("[MASK]")


def _lines(content: bytes, path: str) -> list[str]:
    # TensorFlow's file initializer leaves out every carriage return: so do we, or ids would differ.
    try:
        text = content.decode("utf-8").replace("\r", "")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise BadInput(
            "the vocabulary is not UTF-8.",
            where=f"{path}:{line}",
            fix="Save the file as UTF-8, one piece a line.",
        ) from error
    return text.removesuffix("\n").split("\n") if text else []


def _check(tokens: list[str], path: str) -> None:
    if not any(tokens):
        raise BadInput("the vocabulary is empty.", where=path, fix="One piece a line, UTF-8.")
    if "" in tokens:
        raise BadInput(
            "the vocabulary has an empty line.",
            where=f"{path}:{tokens.index('') + 1}",
            fix="Remove the line only if the encoder was trained without it: ids are line numbers.",
        )
    (token, count), *_ = Counter(tokens).most_common(1)
    if count > 1:
        second = tokens.index(token, tokens.index(token) + 1)
        raise BadInput(
            f"the vocabulary has {token} {count} times, first in line {tokens.index(token) + 1}.",
            where=f"{path}:{second + 1}",
            fix="Give every piece one line: ids are line numbers.",
        )
    if missing := [token for token in _NEEDED if token not in tokens]:
        raise BadInput(
            f"the vocabulary has no {', '.join(missing)}.",
            where=path,
            fix="Take the vocab.txt that belongs to the encoder; BERT's names are looked up in it.",
        )
