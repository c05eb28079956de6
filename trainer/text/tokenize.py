"""Raw text to WordPiece ids in the graph, with spans that point into the caller's text."""

from typing import NamedTuple

import tensorflow as tf
import tensorflow_text as tf_text

from trainer.text import tables
from trainer.text.normalize import normalize
from trainer.text.offsets import source_spans
from trainer.text.rows import row_of_values
from trainer.text.vocabulary import Vocabulary
from trainer.text.words import Words, split_words

MAX_CHARACTERS = 100  # of a word, as in Hugging Face; a longer word is [UNK]
_MAX_BYTES = 4 * MAX_CHARACTERS
_TOO_LONG = b"\0" * (_MAX_BYTES + 1)  # TF Text counts bytes: to it, this is a word too long


class Pieces(NamedTuple):
    """WordPieces and where they come from.

    All are ragged [batch, (pieces)] int32; `starts` and `ends` are byte offsets into the caller's
    own UTF-8 text, valid or not; `first` is 1 where a word begins and 0 in the rest of it.
    """

    ids: tf.RaggedTensor
    starts: tf.RaggedTensor
    ends: tf.RaggedTensor
    first: tf.RaggedTensor


class PieceTokenizer(tf.Module):
    """BERT's tokenizer as TensorFlow ops; its vocabulary becomes an asset of the SavedModel.

    >>> tokenizer = PieceTokenizer("vocab.txt", lower_case=True)
    >>> tokenizer.tokenize(tf.constant(["Un café"]))
    Pieces(ids=[[4895, 7668]], starts=[[0, 3]], ends=[[2, 8]], first=[[1, 1]])

    Raises:
        BadInput: the vocabulary cannot be used.
    """

    def __init__(self, vocab_path: str, lower_case: bool) -> None:
        super().__init__(name="piece_tokenizer")
        self.lower_case = lower_case
        vocabulary = Vocabulary.read(vocab_path)
        self._ids = tables.piece_to_id(vocabulary)
        self._pieces = tables.id_to_piece(vocabulary)
        self._wordpiece = tf_text.WordpieceTokenizer(
            self._ids,
            max_bytes_per_word=_MAX_BYTES,
            max_chars_per_token=max(len(token.removeprefix("##")) for token in vocabulary.tokens),
        )

    def tokenize(self, text: tf.Tensor) -> Pieces:
        """Splits raw texts into pieces, without [CLS] and [SEP].

        Args:
            text: [batch] string, any bytes.
        """
        normalized = normalize(text, self.lower_case)
        words = split_words(normalized)
        ids, starts, ends = self._split(words)
        splits = tf.gather(ids.row_splits, words.starts.row_splits)
        rows = row_of_values(splits, starts)
        starts, ends = source_spans(text, normalized, rows, starts, ends, self.lower_case)
        first = tf.scatter_nd(
            ids.row_starts()[:, tf.newaxis],  # no word is without a piece
            tf.ones_like(ids.row_starts()),
            tf.shape(ids.values, tf.int64),
        )
        flat = (tf.cast(values, tf.int32) for values in (ids.values, starts, ends, first))
        return Pieces(*(tf.RaggedTensor.from_row_splits(v, splits, validate=False) for v in flat))

    def piece_strings(self, ids: tf.RaggedTensor) -> tf.RaggedTensor:
        """The pieces' strings; "[UNK]" for an id that the vocabulary lacks.

        Args:
            ids: [batch, (pieces)] int32, ragged or dense.

        Returns:
            the same shape, string.
        """
        return self._pieces.lookup(tf.cast(ids, tf.int64))

    def _split(self, words: Words) -> tuple[tf.RaggedTensor, tf.Tensor, tf.Tensor]:
        """Words to pieces: ids [words, (pieces)] int64, and their spans in the normalised text."""
        text, word = tf.unique(words.text.values)  # most words of a batch come more than once
        ids, starts, ends = self._split_different(text)
        pieces = tf.gather(ids.with_values(tf.range(tf.size(ids.values))), word)
        at = pieces.values
        begin = tf.gather(words.starts.values, row_of_values(pieces.row_splits, at))
        return (
            pieces.with_values(tf.gather(ids.values, at)),
            begin + tf.gather(starts, at),
            begin + tf.gather(ends, at),
        )

    def _split_different(self, text: tf.Tensor) -> tuple[tf.RaggedTensor, tf.Tensor, tf.Tensor]:
        """[words] string to ids [words, (pieces)] int64, and where in its word a piece lies."""
        too_long = tf.strings.length(text, unit="UTF8_CHAR") > MAX_CHARACTERS
        ids, starts, ends = self._wordpiece.tokenize_with_offsets(
            tf.where(too_long, _TOO_LONG, text)
        )
        word = row_of_values(ids.row_splits, ids.values)
        # TF Text ends a word that is too long after 5 bytes, the length of "[UNK]".
        length = tf.cast(tf.gather(tf.strings.length(text), word), tf.int64)
        return ids, starts.values, tf.where(tf.gather(too_long, word), length, ends.values)
