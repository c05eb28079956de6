"""Writes the models that the demo page meets beside a classifier.

    python demo_models.py FOLDER      # with tests/ on PYTHONPATH: it has the tagger

`tagger` knows its entities from a word list; `odd` takes text but answers what the page has no
picture for, refuses a text with "break" in it and thinks long about "slow"; `many` has more labels
than are shown at once, and no `tokenize`; `pair` takes two texts, whose pieces are their
characters; `numbers` takes no text.
"""

import sys
from pathlib import Path

import tensorflow as tf
from word_list_tagger import WordListTagger, export

TEXT = tf.TensorSpec([None], tf.string, name="text")
TEXT_PAIR = tf.TensorSpec([None], tf.string, name="text_pair")
Tensors = dict[str, tf.Tensor]
LABELS = [f"label {n:02}" for n in range(12)]


@tf.function(input_signature=[TEXT])
def odd(text: tf.Tensor) -> Tensors:
    good = tf.logical_not(tf.strings.regex_full_match(text, ".*break.*"))
    with tf.control_dependencies([tf.debugging.Assert(tf.reduce_all(good), ["broken on purpose"])]):
        rounds = tf.where(tf.reduce_any(text == "slow"), 400, 0)
    product = tf.while_loop(
        lambda done, _: done < rounds,
        lambda done, matrix: (done + 1, tf.linalg.normalize(matrix @ matrix)[0]),
        [0, tf.eye(300)],
    )[1]
    nothing = tf.cast(tf.reduce_sum(product) * 0.0, tf.int32)
    return {"length": tf.strings.length(text) + nothing, "same": text}


@tf.function(input_signature=[TEXT])
def many(text: tf.Tensor) -> Tensors:
    length = tf.cast(tf.strings.length(text), tf.float32)[:, None]
    scores = tf.nn.softmax(tf.math.sin(length + tf.range(12.0)[None, :]))
    return {
        "label": tf.gather(LABELS, tf.argmax(scores, axis=1)),
        "score": tf.reduce_max(scores, axis=1),
        "labels": tf.repeat([LABELS], tf.size(text), axis=0),
        "scores": scores,
        "dropped_tokens": tf.zeros([tf.size(text)], tf.int32),
    }


@tf.function(input_signature=[TEXT, TEXT_PAIR])
def pair(text: tf.Tensor, text_pair: tf.Tensor) -> Tensors:
    lengths = [tf.cast(tf.strings.length(one), tf.float32) for one in (text, text_pair)]
    names = tf.repeat([["first", "second"]], tf.size(text), axis=0)
    return {"labels": names, "scores": tf.nn.softmax(tf.stack(lengths, axis=1))}


@tf.function(input_signature=[TEXT, TEXT_PAIR])
def tokenize_pair(text: tf.Tensor, text_pair: tf.Tensor) -> Tensors:
    split = [tf.strings.unicode_split_with_offsets(one, "UTF-8") for one in (text, text_pair)]
    pieces, starts = (tf.concat(parts, axis=1) for parts in zip(*split, strict=True))
    types = tf.concat([tf.zeros_like(split[0][1]), tf.ones_like(split[1][1])], axis=1)
    return {
        "pieces": pieces.to_tensor(""),
        "starts": starts.to_tensor(-1),
        "ends": (starts + tf.cast(tf.strings.length(pieces), tf.int64)).to_tensor(-1),
        "input_type_ids": types.to_tensor(0),
        "n_pieces": tf.cast(pieces.row_lengths(), tf.int32),
    }


@tf.function(input_signature=[tf.TensorSpec([None, 3], tf.float32, name="x")])
def numbers(x: tf.Tensor) -> Tensors:
    return {"sum": tf.reduce_sum(x, axis=1)}


OTHERS = ((odd, {}), (many, {}), (pair, {"tokenize": tokenize_pair}), (numbers, {}))


def main(folder: Path) -> None:
    """Writes version 1 of each."""
    folder.mkdir(parents=True, exist_ok=True)
    export(WordListTagger(folder / "vocab.txt"), folder / "tagger" / "1")
    for function, others in OTHERS:
        saved = str(folder / function.python_function.__name__ / "1")
        signatures = {"serving_default": function, **others}
        tf.saved_model.save(tf.Module(), saved, signatures=signatures)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
