"""Vocabularies as lookup tables that travel in the SavedModel, their file as its asset."""

import hashlib

import tensorflow as tf

from trainer.text.vocabulary import Vocabulary

_Part = tuple[tf.DType, int]
_LINE = (tf.string, tf.lookup.TextFileIndex.WHOLE_LINE)
_NUMBER = (tf.int64, tf.lookup.TextFileIndex.LINE_NUMBER)


def piece_to_id(vocabulary: Vocabulary) -> tf.lookup.StaticHashTable:
    """A table from piece (string) to id (int64); [UNK]'s id for what is not in it."""
    initializer = _of_pieces(vocabulary, _LINE, _NUMBER)
    return tf.lookup.StaticHashTable(initializer, default_value=vocabulary.unk)


def id_to_piece(vocabulary: Vocabulary) -> tf.lookup.StaticHashTable:
    """A table from id (int64) to piece (string); "[UNK]" for ids outside of it."""
    initializer = _of_pieces(vocabulary, _NUMBER, _LINE)
    return tf.lookup.StaticHashTable(initializer, default_value="[UNK]")


def line_number(path: str) -> tf.lookup.StaticHashTable:
    """A table from a line of a file (string) to its number (int64), from 0; −1 for any other."""
    initializer = _NamedByContent(path, digest(path), _LINE, _NUMBER)
    return tf.lookup.StaticHashTable(initializer, default_value=-1)


def digest(path: str) -> str:
    """SHA-256 of a file, local or remote."""
    with tf.io.gfile.GFile(path, "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()


def _of_pieces(vocabulary: Vocabulary, key: _Part, value: _Part) -> "_NamedByContent":
    return _NamedByContent(vocabulary.path, vocabulary.digest, key, value, len(vocabulary.tokens))


class _NamedByContent(tf.lookup.TextFileInitializer):
    """A text file initializer whose table is named by the file's content.

    TensorFlow names it by the file's path, and that name is written into saved_model.pb.
    """

    def __init__(
        self, path: str, digest: str, key: _Part, value: _Part, lines: int | None = None
    ) -> None:
        self._name_of_table = f"vocabulary_{digest[:16]}_to_{value[0].name}"
        super().__init__(path, *key, *value, vocab_size=lines)

    @property
    def _shared_name(self) -> str:
        return self._name_of_table
