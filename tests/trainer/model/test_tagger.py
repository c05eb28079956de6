"""The tagger: what it learns, what it counts, and that its tags are always legal."""

import itertools
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
import tensorflow as tf

from serving.ops.check import check
from trainer.errors import BadInput
from trainer.model.tag import HEADS, REST_OF_WORD
from trainer.model.tagger import Tagger, build_tagger
from trainer.model.tags import legal_starts, legal_transitions
from trainer.optimizer import adamw

TYPES, TAGS = 2, 5
INPUTS = ("input_word_ids", "input_mask", "input_type_ids", "first_piece")
CLS, SEP, NAME, REST = 1, 2, 10, 20  # ids from NAME begin an entity, from REST go on with a word

each_head = pytest.mark.parametrize("head", HEADS)
each_rest = pytest.mark.parametrize("rest_of_word", REST_OF_WORD)


@pytest.fixture(scope="module")
def folder(tiny, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An encoder without a checkpoint."""
    folder = tmp_path_factory.mktemp("encoder")
    tiny.to_json(folder / "config.json")
    (folder / "vocab.txt").write_text("".join(f"piece{number}\n" for number in range(30)))
    return folder


class Row(NamedTuple):
    ids: list[int]
    tags: list[int]  # of its words


ROWS = [
    Row([3, 10, 21, 4], [0, 1, 0]),
    Row([11, 12, 5], [1, 2, 0]),
    Row([6], [0]),
    Row([15, 22, 23, 16, 3, 10], [3, 4, 0, 1]),
    Row([], []),
]


def batch(rows: list[Row] = ROWS) -> dict[str, tf.Tensor]:
    """As the training batches are: [CLS] pieces [SEP], padded to the longest."""
    tokens = max((len(row.ids) for row in rows), default=0) + 2
    made = {name: np.zeros([len(rows), tokens], np.int32) for name in (*INPUTS, "tag_ids")}
    made["tag_ids"] -= 1
    for at, (ids, tags) in enumerate(rows):
        made["input_word_ids"][at, : len(ids) + 2] = [CLS, *ids, SEP]
        made["input_mask"][at, : len(ids) + 2] = 1
        first = [place for place, piece in enumerate(ids, 1) if piece < REST]
        made["first_piece"][at, first] = 1
        made["tag_ids"][at, first] = tags
    return {name: tf.constant(array) for name, array in made.items()}


@each_rest
@each_head
def test_learns_a_toy_batch(folder: Path, head: str, rest_of_word: str) -> None:
    tagger, given = build_tagger(str(folder), TYPES, head, rest_of_word, seed=1), batch()
    optimizer = adamw(
        tagger, learning_rate=0.02, warmup=0.1, weight_decay=0.0, clip_norm=5.0, total_steps=200
    )

    @tf.function
    def step(seed: tf.Tensor) -> tf.Tensor:
        with tf.GradientTape() as tape:
            sums = tagger.sums(given, training=True, seed=seed)
            loss = sums.loss / sums.weight
        gradients = tape.gradient(loss, tagger.trainable_variables)
        unused = [
            variable.path
            for gradient, variable in zip(gradients, tagger.trainable_variables, strict=True)
            if gradient is None
        ]
        assert unused == ["encoder/pooler/kernel", "encoder/pooler/bias"]
        optimizer.apply(gradients, tagger.trainable_variables)
        return loss

    before = tagger.sums(given)
    for number in range(200):
        step(tf.constant([7, number]))
    after = tagger.sums(given)
    assert tagger.metric == "entity_f1"
    assert float(after.loss) < 0.2 * float(before.loss)
    assert int(after.hits) == int(after.gold) == int(after.predicted) == 4


def log_softmax(x: np.ndarray) -> np.ndarray:
    return x - np.log(np.exp(x).sum(-1, keepdims=True))


@each_rest
@each_head
def test_sums_are_those_of_the_emissions(folder: Path, head: str, rest_of_word: str) -> None:
    tagger = build_tagger(str(folder), TYPES, head, rest_of_word, seed=2)
    rows = [*ROWS, Row([3, 24, 10, 7], [-1, 1, -1])]
    emissions = tagger.emissions(batch(rows)).numpy().astype(np.float64)
    has_x = rest_of_word == "x"
    loss, weight = 0.0, 0
    for (ids, tags), row in zip(rows, emissions, strict=True):
        pieces = row[1 : len(ids) + 1]
        first = np.array(ids) < REST if ids else np.zeros(0, bool)
        words = pieces[first] if head == "softmax" else pieces[first][:, :TAGS]
        known = [at for at, tag in enumerate(tags) if tag >= 0]
        # Transitions begin as 0, and a CRF without them is a softmax.
        loss -= sum(log_softmax(words[at])[tags[at]] for at in known)
        loss -= log_softmax(pieces[~first])[:, TAGS].sum() if has_x else 0.0
        weight += len(known) + (int((~first).sum()) if has_x else 0)
    sums = tagger.sums(batch(rows))
    assert emissions.shape[-1] == TAGS + has_x
    assert float(sums.weight) == weight
    np.testing.assert_allclose(sums.loss, loss, rtol=1e-4)
    assert int(sums.gold) == 5
    assert [part.dtype for part in sums] == [tf.float32] * 2 + [tf.int32] * 3


def test_transitions_bear_on_the_likelihood(folder: Path) -> None:
    tagger, given = build_tagger(str(folder), TYPES, "crf"), batch([Row([3, 10, 11], [0, 1, 2])])
    plain = float(tagger.sums(given).loss)
    tagger.head.transitions.assign(np.eye(TAGS, k=1) * 3.0)  # 0 ▶ 1 ▶ 2
    assert float(tagger.sums(given).loss) < plain - 1.0
    tagger.head.starts.assign([-3.0, 0, 0, 0, 0])
    assert float(tagger.sums(given).loss) > plain - 3.0


@each_head
def test_decoded_tags_are_legal_whatever_the_scores(folder: Path, head: str) -> None:
    tagger, rng = build_tagger(str(folder), TYPES, head), np.random.default_rng(3)
    if head != "softmax":
        tagger.head.transitions.assign(rng.normal(size=(TAGS, TAGS)) * 100)
        tagger.head.starts.assign([0, 0, 1e6, 0, 1e6])
    lengths = rng.integers(0, 9, 40).astype(np.int32)
    for size in (1.0, 1e3, 1e8):
        emissions = (rng.normal(size=(40, 9, TAGS)) * size).astype(np.float32)
        emissions[..., [2, 4]] += 5 * size  # I-… everywhere
        tags, probabilities = tagger.decode(tf.constant(emissions), tf.constant(lengths))
        for row, length, chances in zip(tags.numpy(), lengths, probabilities.numpy(), strict=True):
            assert all(legal_transitions(TYPES)[pair] for pair in itertools.pairwise(row[:length]))
            assert legal_starts(TYPES)[row[:1]].all()
            assert ((chances >= 0) & (chances <= 1 + 1e-5)).all()
            assert not row[length:].any()
            assert not chances[length:].any()
        assert (tags.numpy() > 0).any()


def test_probabilities_of_a_crf_are_over_legal_paths(folder: Path) -> None:
    tagger = build_tagger(str(folder), 1, "crf")
    emissions = np.log([[[0.5, 0.2, 0.3], [0.1, 0.1, 0.8]]]).astype(np.float32)
    tags, probabilities = tagger.decode(tf.constant(emissions), tf.constant([2]))
    # Legal: OO 0.05, OB 0.05, BO 0.02, BB 0.02, BI 0.16.
    assert tags.numpy().tolist() == [[1, 2]]
    np.testing.assert_allclose(probabilities, [[0.20 / 0.30, 0.16 / 0.30]], rtol=1e-5)
    softmax = build_tagger(str(folder), 1, "softmax")
    tags, probabilities = softmax.decode(tf.constant(emissions), tf.constant([2]))
    assert tags.numpy().tolist() == [[1, 2]]
    np.testing.assert_allclose(probabilities, [[0.2, 0.8]], rtol=1e-5)


@each_rest
@each_head
def test_neighbours_do_not_change_a_row(folder: Path, head: str, rest_of_word: str) -> None:
    tagger = build_tagger(str(folder), TYPES, head, rest_of_word, seed=4)
    together, lengths = tagger.word_emissions(batch())
    assert lengths.numpy().tolist() == [len(row.tags) for row in ROWS]
    assert together.shape == (len(ROWS), 4, TAGS)
    for at, row in enumerate(ROWS):
        [alone], [length] = tagger.word_emissions(batch([row]))
        np.testing.assert_allclose(alone, together[at, :length], atol=1e-5)
        assert not together[at, length:].numpy().any()


@each_head
def test_dropout_in_training_only_and_by_seed(folder: Path, head: str) -> None:
    tagger, seed = build_tagger(str(folder), TYPES, head), tf.constant([3, 4])
    still, again = (tagger.emissions(batch(), seed=seed) for _ in range(2))
    dropped, same = (tagger.emissions(batch(), training=True, seed=seed) for _ in range(2))
    np.testing.assert_array_equal(still, again)
    np.testing.assert_array_equal(dropped, same)
    assert np.abs(still - dropped).max() > 1e-3
    assert np.abs(dropped - tagger.emissions(batch(), training=True)).max() > 1e-3


@pytest.mark.parametrize(
    "rows", [[], [Row([], [])], [Row([3], [-1])]], ids=["no rows", "no words", "no known word"]
)
@each_head
def test_nothing_to_learn(folder: Path, head: str, rows: list[Row]) -> None:
    tagger = build_tagger(str(folder), TYPES, head)
    for training in (True, False):
        with tf.GradientTape() as tape:
            sums = tagger.sums(batch(rows), training=training)
        assert all(abs(float(part)) < 1e-6 for part in sums)
        gradient = tape.gradient(sums.loss, tagger.head.logits.kernel.value)
        assert np.isfinite(gradient).all()


class Servable(tf.Module):
    """As the real one: bare variables tracked, the layers behind a function."""

    def __init__(self, tagger: Tagger) -> None:
        super().__init__()
        self.tracked = [variable.value for variable in tagger.variables]
        self.tag = lambda given: tagger.decode(*tagger.word_emissions(given))

    @tf.function(input_signature=[tf.TensorSpec([None, None], tf.int32, name=n) for n in INPUTS])
    def serve(self, *given: tf.Tensor) -> dict[str, tf.Tensor]:
        tags, probabilities = self.tag(dict(zip(INPUTS, given, strict=True)))
        return {"tags": tags, "probabilities": probabilities}


@each_rest
@each_head
def test_exported_it_answers_the_same(
    folder: Path, tmp_path: Path, head: str, rest_of_word: str
) -> None:
    tagger = build_tagger(str(folder), TYPES, head, rest_of_word, seed=5)
    if head != "softmax":
        tagger.head.transitions.assign(np.random.default_rng(5).normal(size=(TAGS, TAGS)))
    servable = Servable(tagger)
    tf.saved_model.save(servable, str(tmp_path), signatures={"serving_default": servable.serve})
    assert check(tmp_path, "2.12") == []
    batches = [batch(rows) for rows in (ROWS, ROWS[3:4], [Row([], [])], [])]
    expected = [servable.tag(given) for given in batches]
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        loaded = tf.compat.v1.saved_model.load(session, ["serve"], str(tmp_path))
        signature = loaded.signature_def["serving_default"]
        fetches = {name: info.name for name, info in signature.outputs.items()}
        for given, (tags, probabilities) in zip(batches, expected, strict=True):
            feed = {signature.inputs[name].name: given[name].numpy() for name in INPUTS}
            answer = session.run(fetches, feed)
            np.testing.assert_array_equal(answer["tags"], tags)
            np.testing.assert_allclose(answer["probabilities"], probabilities, atol=1e-5)


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"types": 0}, "no entity types"),
        ({"head": "lstm"}, "softmax, crf, bilstm-crf"),
        ({"rest_of_word": "same"}, "ignore, x"),
    ],
    ids=["no types", "unknown head", "unknown rest_of_word"],
)
def test_bad_input(folder: Path, given: dict, named: str) -> None:
    with pytest.raises(BadInput, match=named):
        build_tagger(str(folder), **{"types": 2, **given})
