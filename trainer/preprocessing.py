"""`preprocessing_fn`: raw text to token ids, inside the graph that is exported with the model."""

import json
import os
from typing import Any

import tensorflow as tf
import tensorflow_transform as tft

from trainer.text import pack
from trainer.text.tokenize import PieceTokenizer
from trainer.text.vocabulary import Vocabulary

LABEL_VOCABULARY = "labels"
VARIABLE_OUTPUTS = ("input_word_ids", "input_mask", "input_type_ids", "starts", "ends")


def preprocessing_fn(inputs: dict[str, Any], custom_config: dict[str, Any]) -> dict[str, Any]:
    """Makes the encoder's inputs and the label id.

    Args:
        inputs: raw columns by name: the text column ``[batch] string`` and, unless absent, the
            label column as a ``[batch, (0 or 1)] string`` SparseTensor.
        custom_config: ``text`` and ``label`` (column names), ``max_tokens``, and ``encoder``, the
            folder with ``vocab.txt`` and ``tokenizer_config.json`` (see `components.transform`).

    Returns:
        `VARIABLE_OUTPUTS`, each ``[batch, (tokens)] int64``, never longer than ``max_tokens``;
        ``dropped_tokens`` ``[batch] int64``, the pieces that truncation cut off; ``label``
        ``[batch] int64``, −1 where the label is absent or was not seen in training.
    """
    vocabulary = Vocabulary.read(os.path.join(custom_config["encoder"], "vocab.txt"))
    tokenizer = tft.make_and_track_object(
        lambda: _piece_tokenizer(custom_config["encoder"]), name="piece_tokenizer"
    )
    text = tf.reshape(inputs[custom_config["text"]], [-1])
    packed = pack.pack(tokenizer.tokenize(text), vocabulary, custom_config["max_tokens"])
    # Sparse, because tf.Transform stores a ragged `x` under the name `x$ragged_values`; int64,
    # because tf.train.Example knows no other integer.
    outputs = {
        name: tf.cast(getattr(packed, name), tf.int64).to_sparse() for name in VARIABLE_OUTPUTS
    }
    outputs["dropped_tokens"] = tf.cast(packed.dropped_tokens, tf.int64)
    outputs["label"] = _label_ids(inputs[custom_config["label"]])
    return outputs


def _piece_tokenizer(encoder: str) -> PieceTokenizer:
    with tf.io.gfile.GFile(os.path.join(encoder, "tokenizer_config.json")) as file:
        lower_case = bool(json.load(file)["do_lower_case"])
    return PieceTokenizer(os.path.join(encoder, "vocab.txt"), lower_case)


def _label_ids(label: tf.SparseTensor) -> tf.Tensor:
    # The vocabulary is by falling frequency; where it was not seen in training, the id is -1.
    ids = tft.compute_and_apply_vocabulary(
        label, vocab_filename=LABEL_VOCABULARY, num_oov_buckets=0, default_value=-1
    )
    dense_shape = tf.stack([label.dense_shape[0], 1])
    first = tf.sparse.SparseTensor(ids.indices, ids.values, dense_shape)
    return tf.reshape(tf.sparse.to_dense(first, default_value=-1), [-1])
