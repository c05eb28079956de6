"""Every kind of mistake in a recipe has its message, with file, line, key and fix."""

from pathlib import Path

import pytest

from pipeline import recipe as recipes
from trainer.errors import BadInput

GOOD = """\
name: reviews
task: classify
data:
  path: data/*.csv
  text: text
  label: category
  keep: {category: [fresh, no]}
encoder: {layers: 2, width: 8, heads: 2, vocab: vocab.txt}
max_tokens: 64
train: {epochs: 3, learning_rate: 5e-5}
gate:
  accuracy: {at_least: 0.75}
  slices: {category: {accuracy: {at_least: 0.5}}}
serve: {tf_serving: "2.12"}
"""

# name: (what is replaced, by what, the message from its line on)
MISTAKES = {
    "unknown key, near a known one": (
        "epochs: 3", "epoch: 3", "10: train.epoch: unknown key `epoch`. Did you mean `epochs`?"
    ),
    "unknown key, far from all": (
        "name: reviews", "name: reviews\nzzz: 1", "2: zzz: unknown key `zzz`. Known here: name"
    ),
    "unknown key three levels down": (
        "{accuracy: {at_least: 0.5}}}", "{accuracy: {at_leats: 0.5}}}",
        "13: gate.slices.category.accuracy.at_leats: unknown key `at_leats`."
        " Did you mean `at_least`?",
    ),
    "unknown key of the card": (
        'serve: {tf_serving: "2.12"}', 'serve: {tf_serving: "2.12"}\ncard: {intended: x}',
        "15: card.intended: unknown key `intended`. Did you mean `intended_use`?",
    ),
    "key twice": (
        "name: reviews", "name: reviews\nname: films",
        "2: the key `name` is given twice (first on line 1). Delete one of them.",
    ),
    "key missing": (
        "  path: data/*.csv\n", "", "3: data.path: the key `path` is missing. Add `path:"
    ),
    "no gate": (
        "  accuracy: {at_least: 0.75}\n", "", "gate.accuracy: the key `accuracy` is missing. Add"
    ),
    "text where a number stands": (
        "max_tokens: 64", "max_tokens: many", "9: max_tokens: found 'many': input should be a valid"
    ),
    "out of bounds": (
        "at_least: 0.75", "at_least: 75", "12: gate.accuracy.at_least: found 75: input should be"
    ),
    "unknown task": (
        "task: classify", "task: translate", "2: task: found 'translate': input should be"
    ),
    "a tagger's gate for a classifier": (
        "  accuracy: {at_least: 0.75}\n", "  entity_f1: {at_least: 0.75}\n",
        "12: gate.entity_f1: `entity_f1` is no metric of task classify. Write `accuracy`",
    ),
    "a classifier's gate for a tagger": (
        "task: classify", "task: tag",
        "12: gate.accuracy: `accuracy` is no metric of task tag. Write `entity_f1`",
    ),
    "a tagger's key for a classifier": (
        "task: classify", "task: classify\nhead: crf", "3: head: `head` is a tagger's."
    ),
    "a tagger's format for a classifier": (
        "  text: text\n", "  format: conll\n",
        "5: data.format: the format conll is none for task classify. Known: csv, tsv",
    ),
    "a tagger without data": (
        GOOD[: GOOD.index("encoder:")], "name: reviews\ntask: tag\n",
        "1: data: the key `data` is missing. Add `data: {path:",
    ),
    "list where a mapping stands": (
        "encoder: {layers: 2, width: 8, heads: 2, vocab: vocab.txt}", "encoder: [1]",
        "8: encoder: found [1]. Write a text or a mapping.",
    ),
    "part of an encoder missing": (
        ", heads: 2", "", "8: encoder.heads: the key `heads` is missing."
    ),
    "name that is no folder": (
        "name: reviews", "name: my reviews", "1: name: found 'my reviews': string should match"
    ),
    "not YAML": ("name: reviews", "name: [", "not YAML"),
    "not a mapping": (GOOD, "- a\n- b\n", "1: a recipe is a mapping of keys"),
}  # fmt: skip


def write(folder: Path, text: str) -> Path:
    path = folder / "recipe.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_good_recipe_is_typed(tmp_path: Path) -> None:
    recipe, document = recipes.load(write(tmp_path, GOOD))
    assert recipe.train.learning_rate == 5e-5
    assert recipe.data.keep == {"category": ["fresh", "no"]}, "YAML 1.1 would make `no` False"
    assert recipe.gate.slice_bounds() == {"category": 0.5}
    assert recipe.model_name == "reviews"
    assert document.where(("train", "epochs")).endswith(":10: train.epochs")


@pytest.mark.parametrize(("old", "new", "message"), MISTAKES.values(), ids=MISTAKES)
def test_mistake(tmp_path: Path, old: str, new: str, message: str) -> None:
    assert old in GOOD
    path = write(tmp_path, GOOD.replace(old, new, 1))
    with pytest.raises(BadInput) as error:
        recipes.load(path)
    assert str(path) in str(error.value)
    assert message in str(error.value)


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    path = write(
        tmp_path, GOOD.replace("epochs", "epoch").replace("max_tokens: 64", "max_tokens: x")
    )
    with pytest.raises(BadInput) as error:
        recipes.load(path)
    assert len(str(error.value).splitlines()) == 2


@pytest.mark.parametrize(
    ("assignment", "message"),
    [
        ("train.epochs=0", "--set train.epochs=0: found 0: input should be greater"),
        ("train.epochs", "not an assignment"),
        ("train.epohcs=1", "unknown key `epohcs`. Did you mean `epochs`?"),
    ],
)
def test_override_that_is_wrong(tmp_path: Path, assignment: str, message: str) -> None:
    with pytest.raises(BadInput) as error:
        recipes.load(write(tmp_path, GOOD), (assignment,))
    assert message in str(error.value)


def test_override_wins(tmp_path: Path) -> None:
    recipe, _ = recipes.load(
        write(tmp_path, GOOD), ("train.epochs=1", "data.path={train: a, test: b}")
    )
    assert recipe.train.epochs == 1
    assert (recipe.data.path.train, recipe.data.path.test) == ("a", "b")


def test_show_writes_every_default_and_loads_again(tmp_path: Path) -> None:
    recipe, _ = recipes.load(write(tmp_path, GOOD))
    shown = recipes.show(recipe)
    assert "weight_decay: 0.01" in shown
    again, _ = recipes.load(write(tmp_path, shown))
    assert again == recipe


def test_a_taggers_defaults_are_its_own(tmp_path: Path) -> None:
    text = GOOD.replace("task: classify", "task: tag").replace("accuracy", "entity_f1")
    recipe, _ = recipes.load(write(tmp_path, text.replace("  label: category\n", "")))
    assert recipe.tagger == {"head": "crf", "rest_of_word": "ignore"}
    assert recipe.data.label == "entities"
    assert (recipe.gate.metric, recipe.gate.bound.at_least) == ("entity_f1", 0.75)
    assert recipe.gate.slice_bounds() == {"category": 0.5}
    again, _ = recipes.load(write(tmp_path, recipes.show(recipe)))
    assert again == recipe


@pytest.mark.parametrize("content", [None, b"\xff\xfe"], ids=["absent", "not UTF-8"])
def test_file_that_cannot_be_read(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "recipe.yaml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(BadInput, match=r"recipe\.yaml: (no such recipe|the recipe is not UTF-8)"):
        recipes.load(path)


def test_every_committed_recipe_loads() -> None:
    found = sorted((Path(__file__).parents[2] / "recipes").glob("*.yaml"))
    assert found
    for path in found:
        recipes.load(path)
