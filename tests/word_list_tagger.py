"""A tagger with the signatures of a pushed model, which knows its entities from a word list.

Tokenizer and offsets are the real ones; only the head is a table. `change` lets a test spoil its
answers, one way at a time.
"""

from collections.abc import Callable, Mapping
from pathlib import Path

import tensorflow as tf

from trainer.text.pack import Packed, pack
from trainer.text.tokenize import PieceTokenizer
from trainer.text.vocabulary import Vocabulary
from trainer.text.word_spans import word_spans

TYPES = ["LOC", "PER"]
LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789"
PIECES = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *LETTERS]
PIECES += [f"##{letter}" for letter in LETTERS]

# A word's tag, in lower case: B-LOC 1, I-LOC 2, B-PER 3, I-PER 4.
WORDS = {
    "paris": 1, "zürich": 1, "new": 1, "york": 2, "京": 1, "都": 2,
    "ada": 3, "lovelace": 4, "müller": 3, "иван": 3,
}  # fmt: skip

TEXT = tf.TensorSpec([None], tf.string, name="text")
EXAMPLES = tf.TensorSpec([None], tf.string, name="examples")
Tensors = dict[str, tf.Tensor]
_NOTHING = {tf.string: "", tf.int32: -1, tf.float32: 0.0}


class WordListTagger(tf.Module):
    """Tags words as `words` says; `change` sees the finished answer of `serving_default`."""

    def __init__(self, vocabulary: Path, words: Mapping[str, int] = WORDS) -> None:
        super().__init__()
        vocabulary.write_text("\n".join(PIECES) + "\n", encoding="utf-8")
        self.vocabulary = Vocabulary.read(str(vocabulary))
        self.tokenizer = PieceTokenizer(str(vocabulary), lower_case=True)
        initializer = tf.lookup.KeyValueTensorInitializer(
            list(words), list(words.values()), tf.string, tf.int32
        )
        self.table = tf.lookup.StaticHashTable(initializer, 0)
        self.change: Callable[[Tensors], Tensors] = dict
        self.of_text: Callable[[tf.Tensor], tf.Tensor] = tf.identity

    def packed(self, text: tf.Tensor) -> Packed:
        return pack(self.tokenizer.tokenize(self.of_text(text)), self.vocabulary, None)

    def predict(self, text: tf.Tensor) -> Tensors:
        packed = self.packed(text)
        starts, ends = word_spans(packed.first_piece, packed.starts, packed.ends)
        tokens = _substrings(text, starts, ends)
        tags = self._tags(tokens)
        entity = _entities(tags, starts, ends)
        kinds = (entity["tag"] - 1) // 2
        found = {
            "tokens": tokens,
            "tags": tags.with_values(tf.gather(_tag_names(), tags.values)),
            **_edges("", text, starts, ends),
            "entities": _substrings(text, entity["starts"], entity["ends"]),
            "entity_types": kinds.with_values(tf.gather(TYPES, kinds.values)),
            **_edges("entity_", text, entity["starts"], entity["ends"]),
            "entity_scores": kinds.with_values(tf.fill(tf.shape(kinds.values), 0.9)),
        }
        return self.change(
            {name: _dense(values) for name, values in found.items()}
            | {
                "n_tokens": tf.cast(tokens.row_lengths(), tf.int32),
                "n_entities": tf.cast(kinds.row_lengths(), tf.int32),
                "dropped_tokens": packed.dropped_tokens,
            }
        )

    def _tags(self, tokens: tf.RaggedTensor) -> tf.RaggedTensor:
        """[batch, (words)] int32; a word that may only go on after its own kind is O elsewhere."""
        flat = self.table.lookup(tf.strings.lower(tokens.values, encoding="utf-8"))
        before = tf.concat([[0], flat[:-1]], 0)[: tf.size(flat)]
        row = tokens.value_rowids()
        same_row = tf.equal(row, tf.concat([[-1], row[:-1]], 0)[: tf.size(row)])
        goes_on = (flat > 0) & tf.equal(flat % 2, 0)
        legal = same_row & (tf.equal(before, flat - 1) | tf.equal(before, flat))
        return tokens.with_values(tf.where(goes_on & ~legal, 0, flat))

    def tokenize(self, text: tf.Tensor) -> Tensors:
        packed = self.packed(text)
        ids = packed.input_word_ids
        return {
            "pieces": self.tokenizer.piece_strings(ids).to_tensor(""),
            "input_word_ids": ids.to_tensor(self.vocabulary.pad),
            "input_type_ids": packed.input_type_ids.to_tensor(0),
            "starts": packed.starts.to_tensor(-1),
            "ends": packed.ends.to_tensor(-1),
            "n_pieces": tf.cast(ids.row_lengths(), tf.int32),
            "dropped_tokens": packed.dropped_tokens,
        }

    def transform_features(self, examples: tf.Tensor) -> Tensors:
        packed = self.packed(parse(examples))
        ids = packed.input_word_ids.to_tensor(self.vocabulary.pad)
        return {
            "input_word_ids": ids,
            "first_piece": packed.first_piece.to_tensor(0),
            "tag_ids": -tf.ones_like(ids),
            "misaligned_spans": tf.zeros_like(ids[:, 0]),
        }

    def embed(self, text: tf.Tensor) -> Tensors:
        size = tf.cast(self.packed(text).input_word_ids.row_lengths(), tf.float32)[:, None]
        return {"pooled": tf.tanh(size), "mean": size}

    def signatures(self) -> dict[str, object]:
        predict = tf.function(self.predict, input_signature=[TEXT])  # traced once, for both
        table = {
            "serving_default": (predict, TEXT),
            "examples": (lambda examples: predict(parse(examples)), EXAMPLES),
            "tokenize": (self.tokenize, TEXT),
            "transform_features": (self.transform_features, EXAMPLES),
            "embed": (self.embed, TEXT),
        }
        return {
            name: tf.function(function, input_signature=[spec]).get_concrete_function()
            for name, (function, spec) in table.items()
        }


def export(model: WordListTagger, saved_model: Path) -> Path:
    """Writes the SavedModel."""
    tf.saved_model.save(model, str(saved_model), signatures=model.signatures())
    return saved_model


def parse(examples: tf.Tensor) -> tf.Tensor:
    """[batch] serialized tf.Examples ▶ [batch] texts."""
    return tf.io.parse_example(examples, {"text": tf.io.FixedLenFeature([], tf.string)})["text"]


def _tag_names() -> list[str]:
    return ["O", *(f"{prefix}-{kind}" for kind in TYPES for prefix in "BI")]


def _entities(
    tags: tf.RaggedTensor, starts: tf.RaggedTensor, ends: tf.RaggedTensor
) -> dict[str, tf.RaggedTensor]:
    """Entities of legal tags: `tag` of their first word, `starts` and `ends` in bytes."""
    begins, inside = tf.equal(tags.values % 2, 1), tags.values > 0
    entity = tf.boolean_mask(tf.cumsum(tf.cast(begins, tf.int32)) - 1, inside)
    lengths = tf.reduce_sum(tags.with_values(tf.cast(begins, tf.int64)), axis=1)
    values = {
        "tag": tf.boolean_mask(tags.values, begins),
        "starts": tf.boolean_mask(starts.values, begins),
        "ends": tf.math.segment_max(tf.boolean_mask(ends.values, inside), entity),
    }
    return {
        name: tf.RaggedTensor.from_row_lengths(flat, lengths, validate=False)
        for name, flat in values.items()
    }


def _edges(
    prefix: str, text: tf.Tensor, starts: tf.RaggedTensor, ends: tf.RaggedTensor
) -> dict[str, tf.RaggedTensor]:
    """Byte and code-point offsets."""
    return {
        f"{prefix}starts": starts,
        f"{prefix}ends": ends,
        f"{prefix}char_starts": _code_points(text, starts),
        f"{prefix}char_ends": _code_points(text, ends),
    }


def _code_points(text: tf.Tensor, offsets: tf.RaggedTensor) -> tf.RaggedTensor:
    """Byte offsets ▶ number of code points before them."""
    _, begins = tf.strings.unicode_decode_with_offsets(text, "UTF-8", errors="replace")
    before = tf.searchsorted(_in_batch(begins), _in_batch(offsets))
    first = tf.cast(tf.gather(begins.row_starts(), offsets.value_rowids()), tf.int32)
    return offsets.with_values(before - first)


def _in_batch(offsets: tf.RaggedTensor) -> tf.Tensor:
    """Offsets that rise over all rows."""
    rows = tf.cast(offsets.value_rowids(), tf.int64)
    return rows * (1 << 40) + tf.cast(offsets.values, tf.int64)


def _substrings(text: tf.Tensor, starts: tf.RaggedTensor, ends: tf.RaggedTensor) -> tf.RaggedTensor:
    of = tf.gather(text, starts.value_rowids())
    cut = tf.strings.substr(of, starts.values, ends.values - starts.values)
    return starts.with_values(tf.strings.unicode_transcode(cut, "UTF-8", "UTF-8"))


def _dense(values: tf.RaggedTensor) -> tf.Tensor:
    """[batch, max(width, 1)], padded."""
    width = tf.maximum(1, tf.cast(tf.reduce_max(values.row_lengths()), tf.int32))
    return values.to_tensor(_NOTHING[values.dtype], shape=tf.stack([values.nrows(tf.int32), width]))
