"""`preprocessing_fn`: raw text to token ids, inside the graph that is exported with the model."""

import functools
import json
import os
from typing import Any

import tensorflow as tf
import tensorflow_transform as tft

from trainer import span_columns
from trainer.text import labels, pack, tables
from trainer.text.tokenize import PieceTokenizer
from trainer.text.vocabulary import Vocabulary
from trainer.text.word_spans import word_spans

LABEL_VOCABULARY = "labels"
_TOKENS = ("input_word_ids", "input_mask", "input_type_ids", "starts", "ends")
VARIABLE_OUTPUTS = {"classify": _TOKENS, "tag": (*_TOKENS, "first_piece", "tag_ids")}
FIXED_OUTPUTS = {
    "classify": ("dropped_tokens", "label"),
    "tag": ("dropped_tokens", "misaligned_spans"),
}


def preprocessing_fn(inputs: dict[str, Any], custom_config: dict[str, Any]) -> dict[str, Any]:
    """Makes the encoder's inputs and what the task's head learns from.

    Args:
        inputs: raw columns by name: the text column ``[batch] string``; to classify, the label
            column as a ``[batch, (0 or 1)] string`` SparseTensor; to tag, `span_columns.SPANS` as
            ``[batch, (spans)]`` SparseTensors, the types strings, the others int64.
        custom_config: ``task``, ``text`` and ``label`` (column names), ``max_tokens``, and
            ``encoder``, the folder with ``vocab.txt`` and ``tokenizer_config.json``, and maybe
            ``labels``, a file of all labels, one a line (see `components.transform`); without it
            tf.Transform counts them.

    Returns:
        the task's `VARIABLE_OUTPUTS`, each ``[batch, (tokens)] int64``, and its `FIXED_OUTPUTS`,
        each ``[batch] int64``. ``dropped_tokens`` are the pieces that truncation cut off; a tagged
        text is not cut, since windows cover it. ``label`` is −1 where it is absent or was not seen
        in training. ``tag_ids`` holds the tag at every word's first piece, −1 elsewhere and where
        the tag is not known; ``misaligned_spans`` counts spans that fit no words.
    """
    with tf.init_scope():  # the tables belong to no trace
        columns = _columns(custom_config)
    tft.make_and_track_object(lambda: columns.tables, name="tables")
    packed, outputs = columns.of_text(tf.reshape(inputs[custom_config["text"]], [-1]))
    if custom_config["task"] == "classify":
        return outputs | columns.label(columns.label_ids(inputs[custom_config["label"]]))
    starts, ends, types = (inputs[name] for name in span_columns.SPANS)
    return outputs | columns.tags(packed, starts, ends, columns.label_ids(types))


class _Columns:
    """All of the graph but what must be counted first: functions and their tables.

    tf.Transform traces a `preprocessing_fn` eight times. The tokenizer is most of the graph and
    takes most of a second to build: all traces call these functions. What comes of the text alone
    is a function of its own, for tf.Transform leaves out what needs a column that a request lacks.
    """

    def __init__(
        self, tokenizer: PieceTokenizer, vocabulary: Vocabulary, longest: int | None,
        label_file: str | None,
    ) -> None:  # fmt: skip
        self._tokenizer, self._vocabulary, self._longest = tokenizer, vocabulary, longest
        self._label_ids = tables.line_number(label_file) if label_file else None
        # Apart, since a module's functions are traced once more when it is saved.
        self.tables = tf.Module()
        self.tables.tokenizer, self.tables.label_ids = tokenizer, self._label_ids

    def label_ids(self, names: tf.SparseTensor) -> tf.SparseTensor:
        """Ids by falling frequency in train; −1 for a name that was not seen there."""
        if self._label_ids:
            return self._label_ids.lookup(names)
        return tft.compute_and_apply_vocabulary(
            names, vocab_filename=LABEL_VOCABULARY, num_oov_buckets=0, default_value=-1
        )

    @tf.function(autograph=False)
    def of_text(self, text: tf.Tensor) -> tuple[pack.Packed, dict[str, Any]]:
        """The texts' tokens, and those of them that are outputs."""
        packed = pack.pack(self._tokenizer.tokenize(text), self._vocabulary, self._longest)
        found = packed._asdict()
        names = _TOKENS if self._longest else (*_TOKENS, "first_piece")
        dropped = tf.cast(packed.dropped_tokens, tf.int64)
        return packed, {name: _sparse(found[name]) for name in names} | {"dropped_tokens": dropped}

    @tf.function(autograph=False)
    def label(self, ids: tf.SparseTensor) -> dict[str, Any]:
        """A row's label, or −1."""
        dense_shape = tf.stack([ids.dense_shape[0], 1])
        first = tf.sparse.SparseTensor(ids.indices, ids.values, dense_shape)
        return {"label": tf.reshape(tf.sparse.to_dense(first, default_value=-1), [-1])}

    @tf.function(autograph=False)
    def tags(
        self,
        packed: pack.Packed,
        starts: tf.SparseTensor,
        ends: tf.SparseTensor,
        types: tf.SparseTensor,
    ) -> dict[str, Any]:
        """The words' tags, from spans and the ids of their types."""
        spans = labels.Spans(*(_ragged(span) for span in (starts, ends, types)))
        begins, reaches = word_spans(packed.first_piece, packed.starts, packed.ends)
        tags, misaligned = labels.word_tags(
            tf.cast(begins, tf.int64), tf.cast(reaches, tf.int64), spans
        )
        first = tf.where(tf.equal(packed.first_piece.values, 1))  # [words, 1]
        unknown = tf.fill(tf.shape(packed.starts.values), tf.constant(labels.UNKNOWN, tf.int64))
        tag_ids = tf.tensor_scatter_nd_update(unknown, first, tags.values)
        return {
            "tag_ids": _sparse(packed.starts.with_values(tag_ids)),
            "misaligned_spans": tf.cast(misaligned, tf.int64),
        }


def _columns(config: dict[str, Any]) -> _Columns:
    encoder = config["encoder"]
    with tf.io.gfile.GFile(os.path.join(encoder, "tokenizer_config.json")) as file:
        lower_case = bool(json.load(file)["do_lower_case"])
    longest = config["max_tokens"] if config["task"] == "classify" else None
    vocabulary = _content(os.path.join(encoder, "vocab.txt"))
    label_file = _content(config["labels"]) if config.get("labels") else None
    return _traced_once(lower_case, longest, vocabulary, label_file)


def _content(path: str) -> tuple[str, str]:
    """A file and its digest, so that another one under the same path makes other columns."""
    return path, tables.digest(path)


@functools.lru_cache(maxsize=1)
def _traced_once(
    lower_case: bool,
    longest: int | None,
    vocabulary: tuple[str, str],
    label_file: tuple[str, str] | None,
) -> _Columns:
    path, _ = vocabulary
    tokenizer = PieceTokenizer(path, lower_case)
    return _Columns(tokenizer, Vocabulary.read(path), longest, label_file and label_file[0])


def _sparse(tokens: tf.RaggedTensor) -> tf.SparseTensor:
    """As tf.Transform takes it: it stores a ragged `x` under the name `x$ragged_values`.

    int64, because tf.train.Example knows no other integer.
    """
    return tf.cast(tokens, tf.int64).to_sparse()


def _ragged(column: tf.SparseTensor) -> tf.RaggedTensor:
    return tf.RaggedTensor.from_value_rowids(
        column.values, column.indices[:, 0], nrows=column.dense_shape[0], validate=False
    )
