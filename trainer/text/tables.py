"""The vocabulary as lookup tables that travel in the SavedModel, their file as its asset."""

import tensorflow as tf

from trainer.text.vocabulary import Vocabulary


def piece_to_id(vocabulary: Vocabulary) -> tf.lookup.StaticHashTable:
    """A table from piece (string) to id (int64); [UNK]'s id for what is not in it."""
    initializer = _VocabularyFile(
        vocabulary,
        (tf.string, tf.lookup.TextFileIndex.WHOLE_LINE),
        (tf.int64, tf.lookup.TextFileIndex.LINE_NUMBER),
    )
    return tf.lookup.StaticHashTable(initializer, default_value=vocabulary.unk)


def id_to_piece(vocabulary: Vocabulary) -> tf.lookup.StaticHashTable:
    """A table from id (int64) to piece (string); "[UNK]" for ids outside of it."""
    initializer = _VocabularyFile(
        vocabulary,
        (tf.int64, tf.lookup.TextFileIndex.LINE_NUMBER),
        (tf.string, tf.lookup.TextFileIndex.WHOLE_LINE),
    )
    return tf.lookup.StaticHashTable(initializer, default_value="[UNK]")


class _VocabularyFile(tf.lookup.TextFileInitializer):
    """A text file initializer whose table is named by the file's content.

    TensorFlow names it by the file's path, and that name is written into saved_model.pb.
    """

    def __init__(
        self, vocabulary: Vocabulary, key: tuple[tf.DType, int], value: tuple[tf.DType, int]
    ) -> None:
        self._name_of_table = f"vocabulary_{vocabulary.digest[:16]}_to_{value[0].name}"
        super().__init__(vocabulary.path, *key, *value, vocab_size=len(vocabulary.tokens))

    @property
    def _shared_name(self) -> str:
        return self._name_of_table
