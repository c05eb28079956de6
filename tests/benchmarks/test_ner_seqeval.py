"""seqeval on the source's words beside the strict score on bytes: where they differ and why."""

import random

import pytest
import source_words
from ner_seqeval import Text, on_words, strict
from source_words import Words, uneven, word_tags

# "The Zürich-based Ada of New York": words as a newspaper's corpus has them.
WORDS = Words([0, 4, 18, 22, 25, 29], [3, 17, 21, 24, 28, 33])
ZURICH, ADA, NEW_YORK = (4, 11, "LOC"), (18, 21, "PER"), (25, 33, "LOC")
ZURICH_BASED = (4, 17, "LOC")
BASED = (12, 17, "LOC")

TAGS = {
    "none": ([], ["O"] * 6),
    "whole words": ([ADA, NEW_YORK], ["O", "O", "B-PER", "O", "B-LOC", "I-LOC"]),
    "the head of a word": ([ZURICH], ["O", "B-LOC", "O", "O", "O", "O"]),
    "the tail of a word": ([BASED], ["O"] * 6),
    "two in a word": ([ZURICH, (12, 21, "PER")], ["O", "B-LOC", "B-PER", "O", "O", "O"]),
    "side by side": (
        [(25, 28, "LOC"), (29, 33, "LOC")], ["O", "O", "O", "O", "B-LOC", "B-LOC"]
    ),
}  # fmt: skip


@pytest.mark.parametrize(("entities", "tags"), TAGS.values(), ids=TAGS)
def test_a_word_is_called_what_its_first_byte_is_called(entities, tags):
    assert word_tags(entities, WORDS) == tags


UNEVEN = {
    "whole words": ([ADA, NEW_YORK], [], []),
    "ends inside a word": ([ZURICH], [ZURICH], []),
    "holds no first byte": ([BASED], [], [BASED]),
    "begins inside a word and goes on": ([(12, 21, "PER")], [(12, 21, "PER")], []),
}


@pytest.mark.parametrize(("entities", "inside", "no_first"), UNEVEN.values(), ids=UNEVEN)
def test_entities_that_are_not_whole_words(entities, inside, no_first):
    found = uneven(entities, WORDS)
    assert found == {"inside a word": inside, "no first byte": no_first}


# gold, predicted, strict F1, seqeval's F1: all the ways in which the two differ
DIFFERENCES = {
    "none": ([ADA, NEW_YORK], [ADA, (25, 28, "LOC")], 0.5, 0.5),
    "a prediction ends inside a word": ([ZURICH_BASED], [ZURICH], 0.0, 1.0),
    "a prediction begins inside a word": ([ADA], [(12, 21, "PER")], 0.0, 1.0),
    "a prediction holds no first byte": ([ADA], [BASED, ADA], 2 / 3, 1.0),
    "gold is part of a word": ([ZURICH], [ZURICH_BASED], 0.0, 1.0),
    "gold holds no first byte": ([BASED, ADA], [BASED, ADA], 1.0, 1.0),
    "gold alone holds no first byte": ([BASED, ADA], [ADA], 2 / 3, 1.0),
    "two predictions in a word": ([ZURICH_BASED], [ZURICH, BASED], 0.0, 1.0),
}


@pytest.mark.parametrize(
    ("gold", "predicted", "on_bytes", "on_source_words"), DIFFERENCES.values(), ids=DIFFERENCES
)
def test_the_two_scores_differ_through_uneven_entities_alone(
    gold, predicted, on_bytes, on_source_words
):
    pytest.importorskip("seqeval")
    text = Text(WORDS, gold, predicted)
    assert strict([text])["all"]["entity_f1"] == pytest.approx(on_bytes)
    assert on_words([text])["micro avg"]["f1-score"] == pytest.approx(on_source_words)
    differs = on_bytes != on_source_words
    assert not differs or any((uneven(gold + predicted, WORDS)).values())


def test_on_whole_words_both_scores_are_the_same():
    pytest.importorskip("seqeval")
    rng = random.Random(5)
    texts = [even_text(rng) for _ in range(300)]
    ours, theirs = strict(texts), on_words(texts)
    assert not any(any(uneven(text.gold + text.predicted, text.words).values()) for text in texts)
    for name, figures in ours.items():
        other = theirs["micro avg" if name == "all" else name]
        assert figures["entity_precision"] == pytest.approx(other["precision"])
        assert figures["entity_recall"] == pytest.approx(other["recall"])
        assert figures["entity_f1"] == pytest.approx(other["f1-score"])
        assert figures["entities_gold"] == other["support"]
    assert 0.1 < ours["all"]["entity_f1"] < 0.9


def even_text(rng):
    """Words of random lengths, and entities of whole words, half of them found."""
    starts, ends, at = [], [], 0
    for _ in range(rng.randint(0, 12)):
        starts.append(at)
        ends.append(at + rng.randint(1, 9))
        at = ends[-1] + rng.randint(0, 1)
    words = Words(starts, ends)
    gold = entities(rng, words)
    return Text(words, gold, gold if rng.random() < 0.5 else entities(rng, words))


def entities(rng, words):
    found, at = [], 0
    while at < len(words.starts):
        last = min(at + rng.randint(0, 2), len(words.starts) - 1)
        if rng.random() < 0.5:
            kind = rng.choice(["LOC", "PER", "ORG"])
            found.append((words.starts[at], words.ends[last], kind))
        at = last + 1
    return found


def test_a_served_tagger_is_asked_about_the_examples(tmp_path):
    import tensorflow as tf
    from ner_seqeval import asked
    from word_list_tagger import WordListTagger, export

    model = export(WordListTagger(tmp_path / "vocab.txt"), tmp_path / "model" / "1").parent
    text, spans = "Ada of Zürich-based New York", [(0, 3, "PER"), (7, 20, "LOC"), (21, 29, "LOC")]
    words = Words([0, 4, 7, 21, 25], [3, 6, 20, 24, 29])
    file = str(tmp_path / "examples.gz")
    with tf.io.TFRecordWriter(file, "GZIP") as writer:
        for _ in range(40):
            writer.write(example(text, spans, words).SerializeToString())
    texts = list(asked(model, (file,), "text"))
    assert len(texts) == 40
    assert texts[39] == (words, spans, [(0, 3, "PER"), (7, 14, "LOC"), (21, 29, "LOC")])
    assert strict(texts)["all"]["entity_f1"] == pytest.approx(2 / 3)
    assert source_words.uneven(texts[0].predicted, words)["inside a word"] == [(7, 14, "LOC")]


def example(text, spans, words):
    import tensorflow as tf

    columns = dict(zip(("span_starts", "span_ends"), list(zip(*spans, strict=True)), strict=False))
    columns |= {"word_starts": words.starts, "word_ends": words.ends}
    made = tf.train.Example()
    made.features.feature["text"].bytes_list.value.append(text.encode())
    for name, values in columns.items():
        made.features.feature[name].int64_list.value.extend(values)
    types = [kind.encode() for _, _, kind in spans]
    made.features.feature["span_types"].bytes_list.value.extend(types)
    return made
