"""The model card: what it tells, and that a version is seen with its card or not at all."""

import json
import shutil
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from runs import Project

from components import model_card
from components.data_report import DataReport
from components.evaluation_results import EntityResult, SliceResult
from serving.validation.report import Latency, Report

TOLD = model_card.Told(
    name="reviews", task="classify", data="pypi:films==1.0/films.csv", data_digest="d1",
    data_licence="CC BY 4.0", encoder="pypi:bert==1.0", encoder_licence="MIT", max_tokens=128,
    tf_serving="2.12", intended_use="Sorting letters.", limits="English only.",
    gate={"": "accuracy ≥ 0.75"},
)  # fmt: skip
MODEL = {
    "labels": ["fresh", "rotten"],
    "train": {"batch_size": 32, "learning_rate": 1e-4, "seed": 1},
    "history": [{"epoch": 1, "best": True}, {"epoch": 2, "best": False}],
}
SLICES = [
    SliceResult("", "accuracy", 0.85, 300, interval=(0.8052, 0.886)),
    SliceResult("source: a|b", "accuracy", 0.5, 2, interval=(0.09, 0.91)),
]
SERVING = Report("2.12", checks={"ops": 7}, latency=Latency(12.5, 20.0, 50))


def data() -> DataReport:
    report = DataReport()
    for split, label, rows in (
        ("train", "fresh", 60),
        ("train", "rotten", 4),
        ("test", "fresh", 2),
    ):
        for _ in range(rows):
            report.add_row(split, ["a text"], label)
    report.overlap["train/test"] = 3
    return report


@pytest.mark.parametrize(
    "words",
    ["# Model card: reviews", "Sorting letters.", "English only.", "CC BY 4.0", "MIT",
     "| fresh | 60 | 2 |", "3 rows in both train and test", "0.8052 to 0.8860", "Wilson",
     "source: a\\|b", "accuracy ≥ 0.75", "first 128 pieces",
     "fewer than 50 times in training: rotten", "TensorFlow Serving 2.12",
     "median 12.5 ms", "epoch 1 was best"],
)  # fmt: skip
def test_it_tells(words: str) -> None:
    assert words in model_card.markdown(TOLD, MODEL, data(), SLICES, SERVING, "7")


def test_what_nobody_told_is_said_to_be_untold() -> None:
    card = model_card.markdown(replace(TOLD, intended_use=""), MODEL, data(), [], None)
    assert "not told by the recipe (key `card.intended_use`)" in card
    assert "not measured" in card
    assert "not checked for TensorFlow Serving" in card


def test_a_taggers_card_has_types_and_windows() -> None:
    entities = (EntityResult("PER", 0.5, 0.25, 0.3333, 8, 4, (0.2, 0.5)),)
    slices = [SliceResult("", "entity_f1", 0.3333, 9, entities=entities, interval=(0.2, 0.5))]
    model = {**MODEL, "labels": ["PER"], "head": "crf"}
    card = model_card.markdown(replace(TOLD, task="tag"), model, data(), slices, SERVING)
    assert "| PER | 0.5000 | 0.2500 | 0.3333 | 0.2000 to 0.5000 | 8 |" in card
    assert "bootstrap" in card and "windows of 128" in card and "crf head" in card


def test_a_label_with_markup_stays_a_label() -> None:
    from pipeline.page.html import _markdown

    labels = ["<script>x</script>", "*a* | `b`", "[c](javascript:d)", "line\nbreak"]
    card = model_card.markdown(TOLD, {**MODEL, "labels": labels}, data(), SLICES, None)
    shown = str(_markdown(card))
    assert "<script" not in shown and "<em>a" not in shown and "<a " not in shown
    assert "&lt;script&gt;x&lt;/script&gt;, *a* | `b`, [c](javascript:d), line break" in shown


PLACES = {
    "/home/ada/texts/films.csv": "films.csv",
    "../texts/*.csv": "*.csv",
    "out/encoder/": "encoder",
    "pypi:films==1.0/films.csv": "pypi:films==1.0/films.csv",
    "hf:org/name@main": "hf:org/name@main",
    "gs://bucket/films.csv": "gs://bucket/films.csv",
}


@pytest.mark.parametrize(("source", "named"), PLACES.items(), ids=PLACES)
def test_places_of_this_machine_are_left_out(source: str, named: str) -> None:
    from pipeline import card

    assert card._named(source) == named


@pytest.mark.slow
def test_the_pushed_version_has_its_card(pushed: Project) -> None:
    card = (pushed.model / model_card.FILE).read_text()
    assert f"Version {pushed.model.name}" in card
    assert "| category: fresh | 1.0000" in card or "| category: fresh | 0." in card
    assert "trained from scratch" in card and "vocabulary vocab.txt" in card
    assert "unknown: not told by the source" in card
    archived = pushed.artifact("Pusher", "pushed_model") / model_card.FILE
    assert archived.read_text() == card
    assert not list(pushed.model.parent.parent.glob(".*.half"))


def push(pushed: Project, base: Path, blessed: bool = True) -> Any:
    """The executor on the project's artifacts, to another base path."""
    from tfx.proto import pusher_pb2
    from tfx.types import standard_artifacts as kinds
    from tfx.utils import proto_utils

    from components import pusher

    def artifact(kind: Any, uri: Path, **properties: int) -> list[Any]:
        made = kind()
        made.uri = str(uri)
        for name, value in properties.items():
            made.set_int_custom_property(name, value)
        return [made]

    of = pushed.artifact
    destination = pusher_pb2.PushDestination()
    destination.filesystem.base_directory = str(base)
    [result] = artifact(kinds.PushedModel, base.parents[1] / "artifact")
    pusher.Executor().Do(
        {
            "model": artifact(kinds.Model, of("Trainer", "model")),
            "model_blessing": artifact(
                kinds.ModelBlessing, of("Evaluator", "blessing"), blessed=int(blessed)
            ),
            "infra_blessing": artifact(
                kinds.InfraBlessing, of("ServingValidator", "blessing"), blessed=1
            ),
            "evaluation": artifact(kinds.ModelEvaluation, of("Evaluator", "evaluation")),
            "examples": artifact(kinds.Examples, of("TextExampleGen", "examples")),
            "encoder": artifact(kinds.Model, of("EncoderImporter", "model")),
        },
        {"pushed_model": [result]},
        {"push_destination": proto_utils.proto_to_json(destination), "told": TOLD.to_json()},
    )
    return result


@pytest.mark.slow
def test_a_version_is_seen_whole_or_not_at_all(pushed: Project, tmp_path: Path) -> None:
    base, seen, done = tmp_path / "serving" / "tiny", set(), threading.Event()
    litter = tmp_path / "serving" / ".tiny.half" / "1"  # of a run that was killed
    shutil.copytree(pushed.model / "assets", litter)

    def watch() -> None:
        while not done.is_set():
            for version in base.glob("*"):
                seen.add(frozenset(str(f.relative_to(version)) for f in version.rglob("*")))

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        result = push(pushed, base)
    finally:
        done.set()
        watcher.join()
    [version] = base.iterdir()
    assert result.get_string_custom_property("pushed_destination") == str(version)
    whole = frozenset(str(f.relative_to(version)) for f in version.rglob("*"))
    assert {"saved_model.pb", model_card.FILE, "assets/vocab.txt"} <= whole
    assert seen <= {whole}
    assert [path.name for path in base.parent.iterdir()] == ["tiny"]


@pytest.mark.slow
def test_what_is_not_blessed_is_not_pushed(pushed: Project, tmp_path: Path) -> None:
    result = push(pushed, tmp_path / "serving" / "tiny", blessed=False)
    assert result.get_int_custom_property("pushed") == 0
    assert not list(tmp_path.rglob("*"))


def test_told_survives_its_json() -> None:
    assert model_card.Told.from_json(TOLD.to_json()) == TOLD
    assert json.loads(TOLD.to_json())["name"] == "reviews"
