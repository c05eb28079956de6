"""A tagger before the gate: figures are an independent scorer's, and the gate judges both ways.

The model knows entities from a word list, so what it finds in a text is known beforehand; gold is
written for each case.
"""

import functools
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import judging
import pytest
import tensorflow as tf
from judging import Judgement
from word_list_tagger import WORDS, WordListTagger, export

pytestmark = pytest.mark.slow

Span = tuple[str, str]  # words as they stand in the text, type
Row = tuple[str, list[Span], str]  # text, gold entities from left to right, slice


@pytest.fixture(scope="module")
def tagger(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return exported(tmp_path_factory.mktemp("tagger"), WORDS)


@pytest.fixture(scope="module")
def blind_to_persons(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return exported(
        tmp_path_factory.mktemp("blind"), {word: tag for word, tag in WORDS.items() if tag <= 2}
    )


def exported(folder: Path, words: dict[str, int]) -> Path:
    model = export(WordListTagger(folder / "vocab.txt", words), folder / "model")
    card = model / "assets.extra" / "rawbert.json"
    card.parent.mkdir()
    card.write_text(json.dumps({"task": "tag", "text": "text", "labels": ["LOC", "PER"]}))
    return model


Judge = Callable[..., Judgement]


@pytest.fixture
def judge(tmp_path: Path) -> Judge:
    """judge(gate, rows, model, baseline=None) runs the Evaluator's executor on them."""
    from pipeline.evaluation import eval_config
    from pipeline.recipe import Gate

    def run(gate: dict, rows: list[Row], model: Path, baseline: Path | None = None) -> Judgement:
        config = eval_config(Gate.model_validate(gate), "entities")
        return judging.judge(tmp_path, config, map(example, rows), model, baseline)

    return run


def example(row: Row) -> tf.train.Example:
    """As the reader writes it; the features are absent where there is no entity in a slice `b`."""
    text, _, source = row
    made = tf.train.Example()
    features = made.features.feature
    features["text"].bytes_list.value.append(text.encode())
    features["source"].bytes_list.value.append(source.encode())
    spans = gold_of(row)
    if spans or source == "a":
        features["span_starts"].int64_list.value.extend(start for start, _, _ in spans)
        features["span_ends"].int64_list.value.extend(end for _, end, _ in spans)
        features["span_types"].bytes_list.value.extend(kind.encode() for _, _, kind in spans)
    return made


def gold_of(row: Row) -> list[tuple[int, int, str]]:
    text, spans, _ = row
    found, at = [], 0
    for words, kind in spans:
        start = text.encode().index(words.encode(), at)
        at = start + len(words.encode())
        found.append((start, at, kind))
    return found


RIGHT: list[Row] = [
    ("Ada Lovelace saw Zürich.", [("Ada Lovelace", "PER"), ("Zürich", "LOC")], "a"),
    ("京都 and Иван, 👩‍👩‍👧‍👦 Müller!", [("京都", "LOC"), ("Иван", "PER"), ("Müller", "PER")], "a"),
    ("new york", [("new york", "LOC")], "b"),
    ("nothing at all", [], "b"),
    ("", [], "a"),
    ("nobody was there, and no word of it", [], "a"),
]
WRONG: list[Row] = [
    ("Paris Hilton", [("Paris Hilton", "PER")], "a"),  # an end and a type
    ("to New York", [("York", "LOC")], "a"),  # a start
    ("Ada", [("Ada", "LOC")], "b"),  # a type
    ("Paris", [], "b"),  # too much
    ("in Rome, Rome, Rome", [("Rome", "LOC")] * 3, "b"),  # too little
    ("Müllers Müller-Zürich", [("Müllers", "PER"), ("Zürich", "ORG")], "b"),  # a type of gold alone
]  # fmt: skip


@functools.cache
def loaded(model: Path) -> Any:
    return tf.saved_model.load(str(model))


@functools.cache
def served(model: Path, text: str) -> list[tuple[int, int, str]]:
    """The entities of the answer to a text that is asked alone."""
    signature = loaded(model).signatures["serving_default"]
    answer = {k: v.numpy()[0] for k, v in signature(text=tf.constant([text])).items()}
    kinds = [name.decode() for name in answer["entity_types"]]
    found = zip(answer["entity_starts"], answer["entity_ends"], kinds, strict=True)
    return list(found)[: answer["n_entities"]]


def by_hand(rows: list[Row], model: Path, kind: str | None = None) -> tuple[float, float, float]:
    """Precision, recall and F1 of all that the served answer holds, in plain sets."""
    gold, predicted = set(), set()
    for number, row in enumerate(rows):
        predicted |= {(number, *one) for one in served(model, row[0])}
        gold |= {(number, *one) for one in gold_of(row)}
    gold, predicted = (
        {one for one in entities if kind in (None, one[-1])} for entities in (gold, predicted)
    )
    hits = len(gold & predicted)
    return (
        hits / len(predicted) if predicted else 0.0,
        hits / len(gold) if gold else 0.0,
        2 * hits / (len(gold) + len(predicted)) if gold or predicted else 0.0,
    )


def gate(at_least: float, may_drop: float = 0.0, slices: Any = ("source",)) -> dict:
    given = list(slices) if isinstance(slices, tuple) else slices
    return {"entity_f1": {"at_least": at_least, "may_drop": may_drop}, "slices": given}


def binding(at_least: float) -> dict:
    return {"source": {"entity_f1": {"at_least": at_least}}}


def test_the_configuration_changes_with_the_metrics_code(tmp_path: Path) -> None:
    from components import entity_metrics
    from pipeline.code_digest import code_digest
    from pipeline.evaluation import eval_config
    from pipeline.recipe import Gate

    config = eval_config(Gate.model_validate(gate(0.5)), "entities")
    told = json.loads(config.metrics_specs[0].metrics[0].config)["code"]
    source = Path(entity_metrics.__file__).parent
    parts = ("entity_metrics.py", "bootstrap.py")
    for name in (*parts, "evaluator.py"):
        shutil.copy(source / name, tmp_path)
    assert code_digest(*parts, root=tmp_path) == told
    for name in ("evaluator.py", *parts):
        with (tmp_path / name).open("a") as file:
            file.write("# changed\n")
        assert (code_digest(*parts, root=tmp_path) == told) == (name == "evaluator.py")


FIGURES = {
    # More rows than a batch, and their entities make batches of several widths.
    "many batches": (RIGHT + WRONG) * 150,
    "one of each": RIGHT + WRONG,
    "no entity at all": [row for row in RIGHT if not row[1]],
}


@pytest.mark.parametrize("rows", FIGURES.values(), ids=FIGURES)
def test_figures_are_those_of_plain_sets(judge: Judge, tagger: Path, rows: list[Row]) -> None:
    judgement = judge(gate(0.0), rows, tagger)
    for name, chosen in [("", rows), *((f"source: {s}", of(rows, s)) for s in "ab")]:
        found = judgement.slices[name]
        assert (found.metric, found.examples) == ("entity_f1", len(chosen))
        kinds = {kind for row in chosen for _, kind in row[1]}
        assert {one.type for one in found.entities} >= kinds | {""}
        for one in found.entities:
            figures = by_hand(chosen, tagger, one.type or None)
            assert (one.precision, one.recall, one.f1) == pytest.approx(figures)
            wanted = [kind for row in chosen for _, kind in row[1] if one.type in ("", kind)]
            assert one.gold == len(wanted)
        assert found.value == found.entities[0].f1


def of(rows: list[Row], source: str) -> list[Row]:
    return [row for row in rows if row[2] == source]


# 6 of 10 gold entities found, 10 given: F1 is 0.6 in all, 5/6 on slice a and 0.25 on slice b.
SIX_OF_TEN: list[Row] = [
    ("Ada Lovelace, Zürich", [("Ada Lovelace", "PER"), ("Zürich", "LOC")], "a"),
    ("京都, Иван, Müller", [("京都", "LOC"), ("Иван", "PER"), ("Müller", "PER")], "a"),
    ("Paris Hilton", [("Paris Hilton", "PER")], "a"),
    ("to New York, Rome", [("York", "LOC"), ("Rome", "LOC")], "b"),
    ("Paris", [("Paris", "LOC")], "b"),
    ("Ada", [], "b"),
    ("Müller", [("Müller", "ORG")], "b"),
]


@pytest.mark.parametrize(
    ("given", "blessed", "failed"),
    [
        (gate(0.6, slices=binding(0.25)), True, set()),
        (gate(0.5, slices=binding(0.5)), False, {"source: b"}),
        (gate(0.61), False, {""}),
    ],
    ids=["all at their bounds", "a slice below", "the whole below"],
)
def test_the_gate_passes_and_refuses(
    judge: Judge, tagger: Path, given: dict, blessed: bool, failed: set[str]
) -> None:
    judgement = judge(given, SIX_OF_TEN, tagger)
    assert judgement.value[""] == pytest.approx(by_hand(SIX_OF_TEN, tagger)[2])
    assert (judgement.blessed, judgement.failed) == (blessed, failed)
    assert judgement.baseline == "no blessed model yet"


def test_a_test_split_without_entities_passes_no_bound(judge: Judge, tagger: Path) -> None:
    judgement = judge(gate(0.01), [row for row in RIGHT if not row[1]], tagger)
    assert not judgement.blessed
    assert judgement.slices[""].failures == ("entity_f1 is 0.0000, below 0.01",)


CHANGES = {
    "as it may": (RIGHT, 0.5, True),
    "more than it may": (RIGHT, 0.3, False),
    "a type that the baseline never gives": (SIX_OF_TEN, 1.0, True),
}


@pytest.mark.parametrize(("rows", "may_drop", "blessed"), CHANGES.values(), ids=CHANGES)
def test_a_worse_model_against_its_baseline(
    judge: Judge, tagger: Path, blind_to_persons: Path, rows: list, may_drop: float, blessed: bool
) -> None:
    judgement = judge(gate(0.1, may_drop), rows, blind_to_persons, baseline=tagger)
    assert judgement.value[""] == pytest.approx(by_hand(rows, blind_to_persons)[2])
    assert judgement.blessed is blessed
    assert judgement.baseline.startswith("compared with model")
    types = {kind for _, spans, _ in rows for _, kind in spans}
    assert {one.type for one in judgement.slices[""].entities} == {"", *types}
    assert ("less than the blessed model's" in str(judgement.slices[""].failures)) is not blessed


def test_an_equal_or_better_model_passes(
    judge: Judge, tagger: Path, blind_to_persons: Path
) -> None:
    assert judge(gate(0.1), RIGHT, tagger, baseline=blind_to_persons).blessed
