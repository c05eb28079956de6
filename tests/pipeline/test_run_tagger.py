"""`rawbert run` on tagged text: from conll columns to entities of raw strings, or refused."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from runs import (
    Project,
    examples_in,
    predicted,
    rawbert,
    rawbert_here,
    served_copy,
    served_ids,
)

pytestmark = pytest.mark.slow

Span = tuple[int, int, str]


@pytest.fixture(scope="module")
def tagger(tiny_tagger_project: Any, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project of tagged text after its first run."""
    folder = tmp_path_factory.mktemp("tagger-project")
    tiny_tagger_project(folder)
    first = rawbert(folder, "run", "recipe.yaml", "--ask", "Ada Holm was in Lima.")
    assert first.code == 0, first.said
    return Project(folder, first)


@pytest.fixture(scope="module")
def client(tagger: Project, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Of a fresh server process on a copy of the pushed version."""
    with served_copy(tagger.model, tmp_path_factory.mktemp("served-tagger")) as client:
        yield client


@pytest.fixture(scope="module")
def test_rows(tagger: Project) -> list[tuple[bytes, list[Span]]]:
    """Text and entities of the whole test split."""
    rows = []
    for example in examples_in(tagger.artifact("TextExampleGen", "examples"), "test"):
        feature = example.features.feature
        edges = (feature[name].int64_list.value for name in ("span_starts", "span_ends"))
        types = (name.decode() for name in feature["span_types"].bytes_list.value)
        rows.append((feature["text"].bytes_list.value[0], list(zip(*edges, types, strict=True))))
    assert len(rows) > 20
    return rows


@pytest.mark.parametrize(
    "words",
    ["entities in test: ", "read in windows of 16", "epoch 3", "entity F1 ≥ 0.8", "PER", "LOC",
     "[Ada Holm PER] was in [Lima LOC].", "PUSHED"],
)  # fmt: skip
def test_the_report_says(tagger: Project, words: str) -> None:
    assert words in tagger.first.said


def test_its_report_has_types_with_intervals(tagger: Project) -> None:
    report = (tagger.folder / "out" / "tiny" / "report.html").read_text()
    for words in ("entity F1 on test", "Poisson bootstrap", "Entities: same bytes", ">LOC<"):
        assert words in report, words
    assert ">not measured<" not in report


def test_inspect_finds_types_and_the_most_wrong(tagger: Project) -> None:
    from pipeline.inspection import build, subject

    found = subject.open_run(tagger.folder / "out" / "tiny")
    sections = list(build.sections(found, "train", 2, 50, lambda *_: None))
    by_title = {section.title: section for section in sections}
    [sample, *_] = by_title["Texts beside pieces, train"].blocks
    assert {piece.tag for piece in sample.pieces} & {"B-LOC", "B-PER"}
    unknown = by_title["Pieces and words"].blocks[1]
    assert {row[0] for row in unknown.rows} == {"LOC", "PER", "O"}
    lead, worst = by_title["Hardest texts of eval"].blocks
    assert "no loss" in lead.words
    wrong = [int(row[3]) for row in worst.rows]
    assert wrong == sorted(wrong, reverse=True) and len(wrong) <= 15


def test_ids_served_are_the_ids_trained_on(
    tagger: Project, client: Any, test_rows: list[tuple[bytes, list[Span]]]
) -> None:
    transformed = tagger.artifact("Transform", "transformed_examples")
    trained_on = [
        tuple(example.features.feature["input_word_ids"].int64_list.value)
        for example in examples_in(transformed, "test")
    ]
    assert sorted(served_ids(client, [text for text, _ in test_rows])) == sorted(trained_on)
    assert max(map(len, trained_on)) > 16, "no text is long enough for windows"


def test_the_evaluators_f1_is_what_predict_gives(
    tagger: Project, test_rows: list[tuple[bytes, list[Span]]]
) -> None:
    from pipeline import outcome

    answers = predicted(tagger.model, [text.decode() for text, _ in test_rows])
    columns = ("entity_starts", "entity_ends", "entity_types")
    found = [set(zip(*(answer[name] for name in columns), strict=True)) for answer in answers]
    gold = [set(spans) for _, spans in test_rows]
    hits = sum(len(f & g) for f, g in zip(found, gold, strict=True))
    f1 = 2 * hits / (sum(map(len, found)) + sum(map(len, gold)))
    [whole] = [one for one in outcome.read(tagger.first.components).slices if not one.slice]
    assert whole.examples == len(test_rows)
    assert whole.value == pytest.approx(f1, abs=1e-6)


def test_32_requests_at_once_are_answered_as_one_by_one(client: Any) -> None:
    texts = [f"Ada was in {'the very ' * (n * n)}Lima {n}" for n in range(32)]
    alone = [client.predict([text])[0] for text in texts]
    with ThreadPoolExecutor(32) as pool:
        together = list(pool.map(lambda text: client.predict([text])[0], texts))
    batch = client.predict(texts)
    for one, other, batched in zip(alone, together, batch, strict=True):
        for answer in (other, batched):
            assert answer.pop("entity_scores") == pytest.approx(one["entity_scores"], abs=1e-4)
        one.pop("entity_scores")
        assert one == other == batched
        assert one["n_tokens"] == len(one["tokens"]) == len(one["tags"])


def test_transform_features_gives_the_tags_of_training(tagger: Project, client: Any) -> None:
    raw = examples_in(tagger.artifact("TextExampleGen", "examples"), "test")
    transformed = examples_in(tagger.artifact("Transform", "transformed_examples"), "test")
    asked = client.predict_arrays(
        {"examples": [example.SerializeToString() for example in raw]}, "transform_features"
    )
    lengths = asked["input_mask"].sum(1).tolist()
    served = [tuple(row[:n]) for row, n in zip(asked["tag_ids"].tolist(), lengths, strict=True)]
    trained = [tuple(e.features.feature["tag_ids"].int64_list.value) for e in transformed]
    assert sorted(served) == sorted(trained)
    assert not asked["misaligned_spans"].any()


def test_its_gate_refuses_it_where_half_the_texts_have_others_tags(
    tagger: Project, tmp_path: Path
) -> None:
    from judging import judge

    from pipeline.evaluation import eval_config
    from pipeline.recipe import load

    recipe, _ = load(tagger.folder / "recipe.yaml", ())
    rows = examples_in(tagger.artifact("TextExampleGen", "examples"), "test")
    exchanged = [row.features.feature["text"].bytes_list for row in rows[::2]]
    texts = [one.value[0] for one in exchanged]
    for one, text in zip(exchanged, texts[1:] + texts[:1], strict=True):
        one.value[0] = text
    found = judge(tmp_path, eval_config(recipe.gate, "entities"), rows, tagger.model)
    assert not found.blessed
    assert 0.2 < found.value[""] < 0.8


def test_an_untrained_tagger_is_refused_and_the_pushed_one_stays(tagger: Project) -> None:
    untrained = ("--set", "train.epochs=1", "--set", "train.learning_rate=1.0e-7")
    refused = rawbert_here(tagger.folder, "run", "recipe.yaml", *untrained)
    assert refused.code == 3, refused.said
    assert refused.states("Transform", "Trainer") == {"Transform": "cached", "Trainer": "done"}
    why = refused.said.split("REFUSED")[1]
    assert "gate: " in why and "below 0.8" in why
    assert [*(tagger.folder / "out" / "tiny").glob("serving/**/saved_model.pb")] == [
        tagger.model / "saved_model.pb"
    ]


BLOCK = "Ada B-PER\nwas O\nin O\nLima {tag}\n\n"


@pytest.mark.parametrize(
    ("train", "test", "words"),
    [
        ("B-LOC", "B-CITY", ["CITY", "test.conll:1"]),
        ("LOC", "B-LOC", ["train.conll:4", "LOC"]),
        ("B-LOC extra", "B-LOC", ["train.conll:4", "column"]),
    ],
    ids=["a type that train lacks", "a tag without a prefix", "an uneven number of columns"],
)
def test_bad_tags_exit_2(
    tiny_tagger_project: Any, tmp_path: Path, train: str, test: str, words: list[str]
) -> None:
    tiny_tagger_project(tmp_path, rows=2)
    for split, tag in (("train", train), ("eval", "B-LOC"), ("test", test)):
        (tmp_path / f"{split}.conll").write_text(BLOCK.format(tag=tag) * 10)
    splits = "data.path={train: train.conll, eval: eval.conll, test: test.conll}"
    ran = rawbert(tmp_path, "run", "recipe.yaml", "--set", splits)
    assert ran.code == 2, ran.said
    assert all(word in ran.said for word in words), ran.said
    assert not ran.components
