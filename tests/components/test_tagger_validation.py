"""A tagger before the serving checks: a good one is blessed, each bad one refused for its fault."""

import threading

import numpy as np
import pytest
import tensorflow as tf
from word_list_tagger import WordListTagger, export

from serving.client import Client
from serving.rows import rows
from serving.server.process import spawn
from serving.validation.validate import validate

TEXTS = [
    "Ada Lovelace saw Zürich.", "京都 and Иван, 👩‍👩‍👧‍👦 Müller!", "", "nothing", "new york " * 300,
    "Paris", "ada ada york",
]  # fmt: skip


@pytest.fixture
def model(tmp_path):
    """A tagger whose vocabulary file is gone before it is validated."""
    return WordListTagger(tmp_path / "vocab.txt")


def ids_of(model, texts):
    """What Transform would have written, in another order than the texts."""
    return model.packed(tf.constant(texts)).input_word_ids.to_list()[::-1]


def verdict(model, folder, **settings):
    saved = export(model, folder / "model")
    (folder / "vocab.txt").unlink()
    texts = [text.encode() for text in TEXTS]
    return validate(str(saved), tf_serving="2.12", task="tag", texts=texts, **settings)


def test_blesses_a_good_tagger_and_says_what_it_checked(model, tmp_path):
    report = verdict(model, tmp_path, transformed=ids_of(model, TEXTS))
    assert report.findings == []
    assert set(report.checks) == {
        "ops", "hermetic", "signatures", "load", "raw strings", "entities", "alone as in a batch",
        "batch sizes", "examples", "tokenize", "skew", "latency",
    }  # fmt: skip
    assert report.checks["skew"] == len(TEXTS)
    assert report.latency.requests == 50


def bytes_for_code_points(answer):
    return {**answer, "entity_char_starts": answer["entity_starts"]}


def width_in_scores(answer):
    """Scores that depend on the neighbours in the batch."""
    width = tf.cast(tf.shape(answer["tokens"])[1], tf.float32)
    real = tf.cast(answer["entity_scores"] > 0, tf.float32)
    return {**answer, "entity_scores": real / (1.0 + width)}


def goes_on_everywhere(answer):
    begins = tf.strings.regex_replace(answer["tags"], "^B-", "I-")
    return {**answer, "tags": begins}


def nan(answer):
    return {**answer, "entity_scores": answer["entity_scores"] * float("nan")}


def without_scores(answer):
    return {name: value for name, value in answer.items() if name != "entity_scores"}


def long_offsets(answer):
    return {**answer, "starts": tf.cast(answer["starts"], tf.int64)}


SPOILT = {
    "bytes for code points": (bytes_for_code_points, "entities", "by code points"),
    "illegal tags": (goes_on_everywhere, "entities", "IOB2 does not allow"),
    "scores that depend on neighbours": (
        width_in_scores, "alone as in a batch", "alone differs from the one in a batch"
    ),
    "not finite": (nan, "raw strings", "entity_scores is not finite"),
    "an output is missing": (without_scores, "signatures", "gives no entity_scores"),
    "another type": (long_offsets, "signatures", "has starts of type DT_INT64"),
}  # fmt: skip


@pytest.mark.usefixtures("served_here")
@pytest.mark.parametrize(("change", "check", "found"), SPOILT.values(), ids=SPOILT)
def test_refuses_a_spoilt_answer(model, tmp_path, change, check, found):
    model.change = change
    report = verdict(model, tmp_path)
    assert not report.blessed
    assert any(check == f.check and found in f.found for f in report.findings), report.findings


@pytest.mark.usefixtures("served_here")
def test_refuses_other_ids_than_transform_made(model, tmp_path):
    ids = ids_of(model, [text.replace("Ada", "Eve") for text in TEXTS])
    report = verdict(model, tmp_path, transformed=ids)
    assert {f.check for f in report.findings} == {"skew"}


@pytest.mark.usefixtures("served_here")
def test_refuses_transform_features_that_see_other_words(model, tmp_path):
    features_of = model.transform_features
    model.transform_features = lambda examples: {
        **features_of(examples),
        "first_piece": tf.zeros_like(features_of(examples)["first_piece"]),
    }
    report = verdict(model, tmp_path)
    assert {f.check for f in report.findings} == {"tokenize"}
    assert "transform_features begins 0 words" in report.findings[0].found


def test_32_callers_at_once_get_what_each_gets_alone(model, tmp_path):
    saved = export(model, tmp_path / "1")
    texts = [" ".join(TEXTS)[: 7 * n * n] for n in range(32)]
    answers = [None] * len(texts)
    with spawn(saved, name="tagger") as server, Client(server.target, name="tagger") as client:
        together = rows(client.predict_arrays(texts))

        def ask(number):
            [answers[number]] = client.predict([texts[number]])

        callers = [threading.Thread(target=ask, args=[n]) for n in range(len(texts))]
        for caller in callers:
            caller.start()
        for caller in callers:
            caller.join()
    assert answers == together
    assert len({answer["n_tokens"] for answer in together}) > 20
    assert np.mean([answer["n_entities"] for answer in together]) > 1
