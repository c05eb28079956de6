"""Both sides of the gate: real TFMA on a pushed model, with labels made for the case.

The model to beat and the model on trial are the pushed one and one whose vocabulary has good and
bad words exchanged, which therefore says the opposite; so every accuracy is known beforehand.
"""

import json
import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import judging
import pytest
import tensorflow as tf
from judging import Judgement
from runs import Project
from tiny_data import BAD_WORDS, GOOD_WORDS, review

pytestmark = pytest.mark.slow

Row = tuple[str, str]  # text and label
OTHER = {"fresh": "rotten", "rotten": "fresh"}


@pytest.fixture(scope="module")
def contrary(pushed: Project, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The pushed model with good and bad words exchanged in its vocabulary."""
    model = tmp_path_factory.mktemp("contrary") / "1"
    shutil.copytree(pushed.model, model)
    exchange = dict(zip(sorted(GOOD_WORDS), sorted(BAD_WORDS), strict=True))
    exchange |= {bad: good for good, bad in exchange.items()}
    vocabulary = model / "assets" / "vocab.txt"
    lines = [exchange.get(line, line) for line in vocabulary.read_text().splitlines()]
    vocabulary.write_text("\n".join(lines) + "\n")
    return model


@pytest.fixture(scope="module")
def texts(served: Any, contrary: Path) -> dict[str, list[str]]:
    """Texts by what the pushed model says of them; the contrary one says the other label."""
    from serving.local import Local

    rng = random.Random(11)
    made = [review(rng, number % 2 == 0) for number in range(120)]
    with Local(contrary) as model:
        against = model.predict(made)
    by_label: dict[str, list[str]] = {"fresh": [], "rotten": []}
    for text, ours, theirs in zip(made, served.predict(made), against, strict=True):
        if theirs["label"] == OTHER[ours["label"]]:
            by_label[ours["label"]].append(text)
    return by_label


def labelled(texts: dict[str, list[str]], **right_of: tuple[int, int]) -> list[Row]:
    """Rows of each label, of which the pushed model gets so many of so many right."""
    rows = []
    for label, (right, of) in right_of.items():
        rows += [(text, label) for text in texts[label][:right]]
        rows += [(text, label) for text in texts[OTHER[label]][-(of - right) :] if of > right]
    assert len(rows) == sum(of for _, of in right_of.values())
    return rows


Judge = Callable[..., Judgement]


@pytest.fixture
def judge(tmp_path: Path) -> Judge:
    """judge(gate, rows, model, baseline=None) runs the Evaluator's executor on them."""
    from pipeline.evaluation import eval_config
    from pipeline.recipe import Gate

    def run(gate: dict, rows: list[Row], model: Path, baseline: Path | None = None) -> Judgement:
        config = eval_config(Gate.model_validate(gate), "category")
        return judging.judge(tmp_path, config, map(example, rows), model, baseline)

    return run


def example(row: Row) -> tf.train.Example:
    made = tf.train.Example()
    for key, value in zip(("text", "category"), row, strict=True):
        made.features.feature[key].bytes_list.value.append(value.encode())
    return made


def gate(at_least: float, may_drop: float = 0.0, slices: Any = ("category",)) -> dict:
    given = list(slices) if isinstance(slices, tuple) else slices
    return {"accuracy": {"at_least": at_least, "may_drop": may_drop}, "slices": given}


BINDING = {"category": {"accuracy": {"at_least": 0.5}}}


@pytest.mark.parametrize(
    ("given", "blessed", "failed"),
    [
        (gate(0.85), True, set()),
        (gate(0.85, slices=BINDING), False, {"category: fresh"}),
        (gate(0.85, slices={"category": {"accuracy": {"at_least": 0.4}}}), True, set()),
        (gate(0.88), True, set()),
        (gate(0.90), False, {""}),
    ],
    ids=["reported", "binds above", "binds at", "whole at its bound", "whole below its bound"],
)
def test_a_class_at_recall_four_in_ten(
    judge: Judge, pushed: Project, texts: dict, given: dict, blessed: bool, failed: set[str]
) -> None:
    rows = labelled(texts, fresh=(4, 10), rotten=(40, 40))
    judgement = judge(given, rows, pushed.model)
    assert judgement.value[""] == pytest.approx(0.88)
    assert judgement.value["category: fresh"] == pytest.approx(0.4)
    assert (judgement.blessed, judgement.failed) == (blessed, failed)
    assert judgement.baseline == "no blessed model yet"


@pytest.mark.parametrize(
    ("may_drop", "blessed"), [(0.1, False), (0.2, True)], ids=["more than it may", "as it may"]
)
def test_a_drop_of_a_fifth(
    judge: Judge, pushed: Project, contrary: Path, texts: dict, may_drop: float, blessed: bool
) -> None:
    rows = labelled(texts, fresh=(12, 20), rotten=(12, 20))  # 0.6 for the pushed, 0.4 for the other
    judgement = judge(gate(0.3, may_drop), rows, contrary, baseline=pushed.model)
    assert judgement.value[""] == pytest.approx(0.4)
    assert judgement.blessed is blessed
    assert judgement.baseline.startswith("compared with model")


@pytest.mark.parametrize("better", [False, True], ids=["equal", "better"])
def test_an_equal_or_better_model_passes_where_none_may_be_worse(
    judge: Judge, pushed: Project, contrary: Path, texts: dict, better: bool
) -> None:
    rows = labelled(texts, fresh=(12, 20), rotten=(13, 21))
    baseline = contrary if better else pushed.model
    assert judge(gate(0.3), rows, pushed.model, baseline=baseline).blessed


def with_card(model: Path, **others: Any) -> Path:
    """The model, which says otherwise of itself."""
    card = model / "assets.extra" / "rawbert.json"
    card.write_text(json.dumps({**json.loads(card.read_text()), **others}))
    return model


def test_a_model_that_answers_another_question_is_no_baseline(
    judge: Judge, pushed: Project, model_copy: Any, texts: dict
) -> None:
    other = with_card(model_copy(), labels=["fresh", "lukewarm", "rotten"])
    rows = labelled(texts, fresh=(8, 20), rotten=(8, 20))
    judgement = judge(gate(0.3), rows, pushed.model, baseline=other)
    assert judgement.blessed
    assert judgement.baseline == "no baseline: the blessed model has other labels"


@pytest.mark.parametrize(
    ("others", "differing"),
    [
        ({"label": "genre"}, ["label"]),
        ({"labels": ["fresh", "rotten", "plot"]}, ["labels"]),
        ({"labels": ["rotten", "fresh"]}, []),
        ({"text": "body"}, ["text"]),
        ({"task": "tag", "label": "entities"}, ["task", "label"]),
        ({"max_tokens": 8}, []),
    ],
    ids=[
        "another label column",
        "a label more",
        "the labels' order",
        "another column",
        "another task",
        "another length",
    ],
)
def test_what_makes_it_another_question(
    pushed: Project, model_copy: Any, tmp_path: Path, others: dict[str, Any], differing: list[str]
) -> None:
    from components.evaluator import _differences

    candidate = judging.model_artifact(tmp_path / "candidate", pushed.model)
    baseline = judging.model_artifact(tmp_path / "baseline", with_card(model_copy(), **others))
    assert _differences([candidate], [baseline]) == differing
