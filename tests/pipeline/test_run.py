"""`rawbert run`, from raw text to a pushed model: what runs, what is cached, what is refused."""

import csv
import random
from pathlib import Path
from typing import Any

import pytest
from runs import Project, Ran, interrupted, rawbert_here
from tiny_data import review

pytestmark = [pytest.mark.slow, pytest.mark.changes]

COMPONENTS = {
    "TextExampleGen", "StatisticsGen", "SchemaGen", "ExampleValidator", "EncoderImporter",
    "Transform", "Trainer", "LatestBlessed", "Evaluator", "ServingValidator", "Pusher",
}  # fmt: skip


def not_cached(ran: Ran) -> set[str]:
    return {name for name, state in ran.states().items() if state != "cached"}


def test_a_disk_without_room_exits_1_and_the_next_run_is_whole(
    without_room: Ran, pushed: Project
) -> None:
    assert without_room.code == 1, without_room.said
    assert f"no room left under {pushed.folder / 'out' / 'tiny'}" in without_room.said
    assert "--out DIR" in without_room.said
    assert "PUSHED" not in without_room.said
    assert pushed.first.code == 0


def test_the_first_run_runs_each_component_and_pushes(pushed: Project) -> None:
    assert pushed.first.states() == dict.fromkeys(COMPONENTS, "done")
    assert pushed.model.parent == pushed.folder / "out" / "tiny" / "serving" / "tiny"
    assert (pushed.model / "saved_model.pb").is_file()


@pytest.mark.parametrize(
    "words",
    ["rows: eval", "lost", "epoch 3", "◀ kept", "category: fresh", "reported", "no blessed model",
     "accuracy ≥ 0.8", "PUSHED", "rawbert serve", "rawbert predict"],
)  # fmt: skip
def test_the_report_says(pushed: Project, words: str) -> None:
    assert words in pushed.first.said


def test_a_second_run_compares_and_passes_the_equal_model(reruns: tuple[Ran, Ran]) -> None:
    second, _ = reruns
    assert second.code == 0, second.said
    assert second.components.keys() == COMPONENTS
    assert not_cached(second) <= {"LatestBlessed", "Evaluator", "Pusher"}
    assert second.states("Evaluator") == {"Evaluator": "done"}
    assert "compared with model" in second.said


def test_a_third_run_finds_everything_cached(reruns: tuple[Ran, Ran]) -> None:
    _, third = reruns
    assert third.code == 0, third.said
    assert not_cached(third) <= {"LatestBlessed"}
    assert "PUSHED" in third.said


def test_the_same_recipe_is_refused_on_shuffled_labels(
    pushed: Project, tiny_project: Any, tmp_path: Path
) -> None:
    tiny_project(tmp_path, shuffled=True)
    assert (tmp_path / "recipe.yaml").read_bytes() == (pushed.folder / "recipe.yaml").read_bytes()
    refused = rawbert_here(tmp_path, "run", "recipe.yaml")
    assert refused.code == 3, refused.said
    assert not list((tmp_path / "out" / "tiny").glob("serving/**/saved_model.pb"))
    assert "REFUSED" in refused.said
    assert "gate: " in refused.said.split("REFUSED")[1]
    assert "report   out/tiny/report.html" in refused.said
    report = (tmp_path / "out" / "tiny" / "report.html").read_text()
    assert "Why nothing was pushed" in report and "How to serve" not in report


GIVEN_SPLITS = """\
name: tiny
data:
  path: {train: train.csv, eval: eval.csv, test: test.csv}
encoder: {layers: 1, width: 32, heads: 2, vocab: vocab.txt}
gate: {accuracy: {at_least: 0.5}}
"""


def write_split(path: Path, labels: list[str]) -> None:
    rng = random.Random(path.name)
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["text", "category"])
        writer.writerows((review(rng, label == "fresh"), label) for label in labels)


def test_a_label_of_eval_alone_stops_the_run_and_the_next_one(
    tiny_project: Any, tmp_path: Path
) -> None:
    tiny_project(tmp_path, rows=2)
    (tmp_path / "recipe.yaml").write_text(GIVEN_SPLITS)
    write_split(tmp_path / "train.csv", ["fresh", "rotten"] * 20)
    write_split(tmp_path / "eval.csv", ["fresh", "rotten", "lukewarm"] * 5)
    write_split(tmp_path / "test.csv", ["fresh", "rotten"] * 5)
    for attempt in ("first run", "second run"):
        ran = rawbert_here(tmp_path, "run", "recipe.yaml")
        assert ran.code == 2, (attempt, ran.said)
        assert "lukewarm" in ran.said, attempt
        assert ran.states("ExampleValidator") == {"ExampleValidator": "failed"}, attempt
        assert "Transform" not in ran.components, attempt
        report = (tmp_path / "out" / "tiny" / "report.html").read_text()
        assert "Why it stopped" in report and "lukewarm" in report, attempt


@pytest.fixture(scope="module")
def changed(pushed: Project, reruns: tuple[Ran, Ran]) -> tuple[Ran, Ran]:
    """Two vocabulary lines swapped; Ctrl-C after the first epoch, then run again."""
    vocabulary = pushed.folder / "vocab.txt"
    lines = vocabulary.read_text().splitlines()
    one, other = lines.index("bright"), lines.index("the")
    lines[one], lines[other] = lines[other], lines[one]
    vocabulary.write_text("\n".join(lines) + "\n")
    command = ["run", "recipe.yaml", "--set", "train.epochs=4"]
    stopped = interrupted(pushed.folder, "epoch 1/4", *command)
    return stopped, rawbert_here(pushed.folder, *command)


def test_a_changed_vocabulary_line_runs_transform_again(changed: tuple[Ran, Ran]) -> None:
    stopped, _ = changed
    unread = ("TextExampleGen", "StatisticsGen", "SchemaGen", "ExampleValidator")
    assert stopped.states(*unread) == dict.fromkeys(unread, "cached")
    assert stopped.states("EncoderImporter", "Transform") == {
        "EncoderImporter": "done",
        "Transform": "done",
    }


def test_after_ctrl_c_the_next_run_continues_from_there(changed: tuple[Ran, Ran]) -> None:
    stopped, continued = changed
    assert stopped.code == 1, stopped.said
    assert "Interrupted." in stopped.said
    assert "Traceback" not in stopped.said
    assert continued.code in (0, 3), continued.said
    assert "resumed after epoch" in continued.said
    assert "epoch 1/4" not in continued.said
    earlier = ("TextExampleGen", "ExampleValidator", "EncoderImporter", "Transform")
    assert continued.states(*earlier) == dict.fromkeys(earlier, "cached")
    assert continued.states("Trainer") == {"Trainer": "done"}
