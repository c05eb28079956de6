"""`preprocessing_fn`: raw text to token ids, inside the graph that is exported with the model."""

import json
import os
from collections.abc import Callable
from typing import Any

import tensorflow as tf
import tensorflow_transform as tft

from trainer import span_columns
from trainer.text import labels, pack
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
            ``encoder``, the folder with ``vocab.txt`` and ``tokenizer_config.json`` (see
            `components.transform`).

    Returns:
        the task's `VARIABLE_OUTPUTS`, each ``[batch, (tokens)] int64``, and its `FIXED_OUTPUTS`,
        each ``[batch] int64``. ``dropped_tokens`` are the pieces that truncation cut off; a tagged
        text is not cut, since windows cover it. ``label`` is −1 where it is absent or was not seen
        in training. ``tag_ids`` holds the tag at every word's first piece, −1 elsewhere and where
        the tag is not known; ``misaligned_spans`` counts spans that fit no words.
    """
    vocabulary = Vocabulary.read(os.path.join(custom_config["encoder"], "vocab.txt"))
    tokenizer = tft.make_and_track_object(
        lambda: _piece_tokenizer(custom_config["encoder"]), name="piece_tokenizer"
    )
    task = custom_config["task"]
    text = tf.reshape(inputs[custom_config["text"]], [-1])
    longest = custom_config["max_tokens"] if task == "classify" else None
    packed = pack.pack(tokenizer.tokenize(text), vocabulary, longest)
    learned = _LEARNED[task](inputs, packed, custom_config)
    outputs = {**packed._asdict(), **learned}
    # Sparse, because tf.Transform stores a ragged `x` under the name `x$ragged_values`; int64,
    # because tf.train.Example knows no other integer.
    return {
        name: tf.cast(outputs[name], tf.int64).to_sparse() for name in VARIABLE_OUTPUTS[task]
    } | {name: tf.cast(outputs[name], tf.int64) for name in FIXED_OUTPUTS[task]}


def _piece_tokenizer(encoder: str) -> PieceTokenizer:
    with tf.io.gfile.GFile(os.path.join(encoder, "tokenizer_config.json")) as file:
        lower_case = bool(json.load(file)["do_lower_case"])
    return PieceTokenizer(os.path.join(encoder, "vocab.txt"), lower_case)


def _label(inputs: dict[str, Any], _: pack.Packed, config: dict[str, Any]) -> dict[str, Any]:
    ids = _ids(inputs[config["label"]])
    dense_shape = tf.stack([ids.dense_shape[0], 1])
    first = tf.sparse.SparseTensor(ids.indices, ids.values, dense_shape)
    return {"label": tf.reshape(tf.sparse.to_dense(first, default_value=-1), [-1])}


def _tags(inputs: dict[str, Any], packed: pack.Packed, _: dict[str, Any]) -> dict[str, Any]:
    starts, ends, types = (inputs[name] for name in span_columns.SPANS)
    spans = labels.Spans(*(_ragged(span) for span in (starts, ends, _ids(types))))
    begins, reaches = word_spans(packed.first_piece, packed.starts, packed.ends)
    tags, misaligned = labels.word_tags(
        tf.cast(begins, tf.int64), tf.cast(reaches, tf.int64), spans
    )
    first = tf.where(tf.equal(packed.first_piece.values, 1))  # [words, 1]
    unknown = tf.fill(tf.shape(packed.starts.values), tf.constant(labels.UNKNOWN, tf.int64))
    tag_ids = tf.tensor_scatter_nd_update(unknown, first, tags.values)
    return {"tag_ids": packed.starts.with_values(tag_ids), "misaligned_spans": misaligned}


_LEARNED: dict[str, Callable[..., dict[str, Any]]] = {"classify": _label, "tag": _tags}


def _ids(names: tf.SparseTensor) -> tf.SparseTensor:
    """Ids by falling frequency in train; −1 for a name that was not seen there."""
    return tft.compute_and_apply_vocabulary(
        names, vocab_filename=LABEL_VOCABULARY, num_oov_buckets=0, default_value=-1
    )


def _ragged(column: tf.SparseTensor) -> tf.RaggedTensor:
    return tf.RaggedTensor.from_value_rowids(
        column.values, column.indices[:, 0], nrows=column.dense_shape[0], validate=False
    )
