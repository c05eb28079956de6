"""A tagger of entities: the encoder and its head, built from an encoder's folder."""

import tensorflow as tf

from trainer.errors import BadInput
from trainer.model.encoder import Encoder
from trainer.model.on_encoder import Batch, OnEncoder, load_encoder
from trainer.model.padding_free import encode
from trainer.model.sums import Sums
from trainer.model.tag import HEADS, REST_OF_WORD, TagHead
from trainer.model.tags import count_matches
from trainer.model.words import compact


class Tagger(OnEncoder):
    """Encoder and head.

    A batch is ``input_word_ids``, ``input_mask``, ``input_type_ids``, ``first_piece`` (1 where a
    word begins), all [rows, tokens] int32, every row from its [CLS] to its [SEP]; `sums` wants
    ``tag_ids`` too: the tag of the word at its first piece, −1 where it is not known and at all
    other tokens. K is the number of tags.

    Args:
        encoder: with its weights.
        head: on the encoder's sequence output.
    """

    metric = "entity_f1"

    def __init__(self, encoder: Encoder, head: TagHead) -> None:
        super().__init__(encoder, head, name="tagger")

    def emissions(
        self, batch: Batch, training: bool = False, seed: tf.Tensor | None = None
    ) -> tf.Tensor:
        """Scores of the tags at every token, of which those at first pieces are the words'.

        Args:
            batch: see the class.
            training: whether there is dropout.
            seed: [2] int32, decides what is dropped.

        Returns:
            [rows, tokens, K], or K + 1 where the rest of a word is X, the last column.
        """
        encoded, head_seed = self.encode(batch, training, seed)
        rows = tf.shape(batch["input_word_ids"])
        sequence = tf.reshape(encoded.tokens, [rows[0], rows[1], self.encoder.config.hidden_size])
        return self.head(sequence, self._read(batch), training=training, seed=head_seed)

    def _read(self, batch: Batch) -> tf.Tensor:
        # Where the rest of a word is to be told, a BiLSTM has to read it.
        return _pieces(batch) if self.head.has_x else _words(batch)

    def word_emissions(
        self, batch: Batch, training: bool = False, seed: tf.Tensor | None = None
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Scores of the words' tags: [rows, words of the longest, K], and lengths [rows] int32.

        Padding is 0, and there is no X: no word has it.
        """
        return self._of_words(batch, self.emissions(batch, training, seed))

    def probabilities(self, batch: Batch) -> tf.Tensor:
        """Of the words' tags, each word by itself: [rows, words of the longest, K]."""
        return tf.nn.softmax(self.word_emissions(batch)[0])

    def of_ragged(
        self,
        ids: tf.RaggedTensor,
        types: tf.RaggedTensor,
        batch: Batch,
        constants: bool = False,
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """As `word_emissions`, from tokens without padding, [rows, (tokens)] int32 each.

        Of the batch, whose layout is theirs, only mask and first pieces are read. ``constants``:
        see `encode`.
        """
        tokens = ids.with_values(encode(self.encoder, ids, types, constants=constants).tokens)
        shape = tf.shape(batch["input_mask"], tf.int64)
        sequence = tokens.to_tensor(shape=[shape[0], shape[1], self.encoder.config.hidden_size])
        return self._of_words(batch, self.head(sequence, self._read(batch)))

    def _of_words(self, batch: Batch, emissions: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        return compact(emissions[:, :, : self.head.tags], _words(batch))

    def decode(self, emissions: tf.Tensor, lengths: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """The best legal tags of words and their probabilities; see `TagHead.decode`."""
        return self.head.decode(emissions, lengths)

    def sums(self, batch: Batch, training: bool = False, seed: tf.Tensor | None = None) -> Sums:
        """Loss and entities of a batch; words of unknown tag count for neither.

        ``weight`` is the number of words of known tag and, where there is X, of the pieces that
        have it. In training, entities are those of each word's best tag, which costs nothing.
        """
        emissions = self.emissions(batch, training, seed)
        words, lengths = self._of_words(batch, emissions)
        tags = compact(batch["tag_ids"] + 1, _words(batch))[0] - 1  # −1 at padding
        targets = self._targets(batch)
        best = tf.argmax(words, -1, tf.int32) if training else self.decode(words, lengths)[0]
        hits, gold, predicted = count_matches(tags, best)
        return Sums(
            loss=self._loss(emissions, targets, words, tags, lengths),
            weight=tf.math.count_nonzero(targets >= 0, dtype=tf.float32),
            hits=hits,
            gold=gold,
            predicted=predicted,
        )

    def _targets(self, batch: Batch) -> tf.Tensor:
        """[rows, tokens] int32: the column that is right, −1 where none is."""
        tags = tf.where(_words(batch), batch["tag_ids"], -1)
        if not self.head.has_x:
            return tags
        return tf.where(_pieces(batch) & ~_words(batch), self.head.tags, tags)

    def _loss(
        self,
        emissions: tf.Tensor,
        targets: tf.Tensor,
        words: tf.Tensor,
        tags: tf.Tensor,
        lengths: tf.Tensor,
    ) -> tf.Tensor:
        """The sum over all rows.

        The softmax's is the cross-entropy of all targets. The CRF's is that of the words' tags; X
        takes no part in its paths, and its pieces add their cross-entropy.
        """
        if not self.head.has_crf:
            return _cross_entropy(emissions, targets)
        loss = -tf.reduce_sum(self.head.log_likelihood(words, tags, lengths))
        if self.head.has_x:
            rest = tf.where(targets == self.head.tags, targets, -1)
            loss += _cross_entropy(emissions, rest)
        return loss


def _words(batch: Batch) -> tf.Tensor:
    """[rows, tokens] bool: the first pieces."""
    return batch["first_piece"] > 0


def _pieces(batch: Batch) -> tf.Tensor:
    """[rows, tokens] bool: all tokens but [CLS], [SEP] and padding."""
    real = batch["input_mask"] > 0
    not_last = tf.concat([real[:, 1:], tf.zeros_like(real[:, :1])], axis=1)
    not_first = tf.range(tf.shape(real)[1]) > 0
    return real & not_last & not_first


def _cross_entropy(emissions: tf.Tensor, targets: tf.Tensor) -> tf.Tensor:
    """Summed over the tokens that have a target."""
    losses = tf.nn.sparse_softmax_cross_entropy_with_logits(tf.maximum(targets, 0), emissions)
    return tf.reduce_sum(tf.where(targets >= 0, losses, tf.zeros_like(losses)))


def build_tagger(
    encoder_folder: str,
    types: int,
    head: str = "crf",
    rest_of_word: str = "ignore",
    seed: int = 0,
) -> Tagger:
    """A tagger on an encoder's folder; random weights where the folder has no checkpoint.

    Args:
        encoder_folder: weights, configuration, vocabulary.
        types: how many entity types there are.
        head: ``softmax``, ``crf`` or ``bilstm-crf``.
        rest_of_word: what becomes of the pieces after the first of a word: ``ignore`` or ``x``.
        seed: of the first weights.

    Raises:
        BadInput: there are no types, no such head, or config, vocabulary and checkpoint do not
            fit together.
    """
    if types < 1:
        raise BadInput("no entity types", fix="A tagger needs one type or more.")
    for key, given, known in (("head", head, HEADS), ("rest_of_word", rest_of_word, REST_OF_WORD)):
        if given not in known:
            raise BadInput(f"{given!r}", where=key, fix=f"Use one of {', '.join(known)}.")
    encoder = load_encoder(encoder_folder, seed)
    return Tagger(encoder, TagHead(encoder.config, types, head, rest_of_word, seed=seed))
