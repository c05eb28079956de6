"""What the models of all tasks are: an encoder with a head on it."""

import keras
import tensorflow as tf

from trainer import progress
from trainer.model.checkpoints import safetensors
from trainer.model.config import EncoderConfig
from trainer.model.encoder import Encoder
from trainer.model.padding_free import Encoded, encode_padded

Batch = dict[str, tf.Tensor]


class OnEncoder(keras.layers.Layer):
    """An encoder and a head; its variables are the encoder's, then the head's.

    Args:
        encoder: with its weights.
        head: of the task.
        name: of the model.
    """

    metric: str  # what the quality of its Sums is

    def __init__(self, encoder: Encoder, head: keras.layers.Layer, name: str) -> None:
        super().__init__(name=name)
        self.encoder, self.head = encoder, head
        self.built = True

    def probabilities(self, batch: Batch) -> tf.Tensor:
        """Scores of a batch, padded as it is, that sum to 1 over the last dimension."""
        raise NotImplementedError

    def encode(
        self, batch: Batch, training: bool, seed: tf.Tensor | None, pooled_only: bool = False
    ) -> tuple[Encoded, tf.Tensor | None]:
        """The encoder's outputs, and the head's seed.

        Args:
            batch: ``input_word_ids``, ``input_mask``, ``input_type_ids``, [rows, tokens] int32.
            training: whether there is dropout.
            seed: [2] int32, decides what encoder and head drop; drawn at random if absent.
            pooled_only: whether the head reads nothing but `pooled`.
        """
        of_encoder, of_head = (
            (None, None)
            if seed is None
            else tf.unstack(tf.random.experimental.stateless_split(seed, 2))
        )
        encoded = encode_padded(
            self.encoder,
            batch["input_word_ids"],
            batch["input_mask"],
            batch["input_type_ids"],
            self.encoder.dropout_seeds(training, of_encoder),
            pooled_only,
        )
        return encoded, of_head


def load_encoder(folder: str, seed: int) -> Encoder:
    """The encoder of a folder; random weights where the folder has no checkpoint.

    Args:
        folder: weights, configuration, vocabulary.
        seed: of random weights.

    Raises:
        BadInput: config, vocabulary and checkpoint do not fit together.
    """
    encoder = Encoder(EncoderConfig.from_json(folder), seed=seed)
    loaded = safetensors.load(encoder, folder)
    progress.publish("encoder", loaded=len(loaded.loaded), missing=list(loaded.missing))
    return encoder
