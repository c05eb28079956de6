"""A text classifier: the encoder and its head, built from an encoder's folder."""

import tensorflow as tf

from trainer.errors import BadInput
from trainer.model.classify import ClassifyHead
from trainer.model.encoder import Encoder
from trainer.model.on_encoder import Batch, OnEncoder, load_encoder
from trainer.model.padding_free import encode
from trainer.model.sums import Sums


class Classifier(OnEncoder):
    """Encoder and head.

    Args:
        encoder: with its weights.
        head: on the encoder's pooled output.
    """

    metric = "accuracy"

    def __init__(self, encoder: Encoder, head: ClassifyHead) -> None:
        super().__init__(encoder, head, name="classifier")

    def call(
        self, batch: Batch, training: bool = False, seed: tf.Tensor | None = None
    ) -> tf.Tensor:
        """Scores a batch.

        Args:
            batch: ``input_word_ids``, ``input_mask``, ``input_type_ids``, [batch, tokens] int32.
            training: whether there is dropout.
            seed: [2] int32, decides what is dropped.

        Returns:
            logits [batch, classes].
        """
        encoded, head_seed = self.encode(batch, training, seed, pooled_only=True)
        return self.head(encoded.pooled, training=training, seed=head_seed)

    def probabilities(self, batch: Batch) -> tf.Tensor:
        """[batch, classes]."""
        return tf.nn.softmax(self(batch))

    def of_ragged(
        self, ids: tf.RaggedTensor, types: tf.RaggedTensor, constants: bool = False
    ) -> tf.Tensor:
        """Scores texts without padding: [batch, (tokens)] int32 each ▶ logits [batch, classes].

        ``constants``: see `encode`.
        """
        encoded = encode(self.encoder, ids, types, pooled_only=True, constants=constants)
        return self.head(encoded.pooled)

    def sums(self, batch: Batch, training: bool = False, seed: tf.Tensor | None = None) -> Sums:
        """As a call; the batch has ``label``, [batch] int32, too."""
        logits, label = self(batch, training=training, seed=seed), batch["label"]
        losses = tf.nn.sparse_softmax_cross_entropy_with_logits(label, logits)
        hits = tf.cast(tf.argmax(logits, -1, tf.int32) == label, tf.int32)
        rows = tf.size(label)
        return Sums(
            loss=tf.reduce_sum(losses),
            weight=tf.cast(rows, tf.float32),
            hits=tf.reduce_sum(hits),
            gold=rows,
            predicted=rows,
        )


def build_classifier(encoder_folder: str, classes: int, seed: int) -> Classifier:
    """A classifier on an encoder's folder; random weights where the folder has no checkpoint.

    Raises:
        BadInput: config, vocabulary and checkpoint do not fit together.
    """
    if classes < 2:
        raise BadInput(f"{classes} class", fix="A classifier needs two classes or more.")
    encoder = load_encoder(encoder_folder, seed)
    return Classifier(encoder, ClassifyHead(encoder.config, classes, seed=seed))
