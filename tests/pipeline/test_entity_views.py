"""What a user sees of a tagger: marked texts, tagged pieces, the gate's tables."""

import io
import json

import pytest
from click.testing import CliRunner
from rich.console import Console

from pipeline.cli.entity_text import marked
from pipeline.cli.predict import for_people, predict


def row(*entities: tuple[int, int, str]) -> dict:
    """A tagger's answer of (byte start, byte end, type)."""
    starts, ends, kinds = (list(column) for column in zip(*entities, strict=True))
    return {
        "entities": ["not looked at"] * len(starts),
        "entity_types": kinds,
        "entity_starts": starts,
        "entity_ends": ends,
        "dropped_tokens": 0,
    }


NONE = {"entities": [], "entity_types": [], "entity_starts": [], "entity_ends": []}

MARKED = {
    "none": ("no one", NONE, "no one"),
    "empty": ("", NONE, ""),
    "two": ("Ada saw Zürich.", row((0, 3, "PER"), (8, 15, "LOC")), "[Ada PER] saw [Zürich LOC]."),
    "side by side": ("京都東京", row((0, 6, "LOC"), (6, 12, "LOC")), "[京都 LOC][東京 LOC]"),
    "bytes that are no UTF-8": (b"x\xff Rom", row((3, 6, "LOC")), "x\ufffd [Rom LOC]"),
    "bytes in an argument": ("x\udcff Rom", row((3, 6, "LOC")), "x\ufffd [Rom LOC]"),
    "line ends": ("New\nYork\r\n", row((0, 8, "LOC")), "[New York LOC]  "),
    "a text that would steer the terminal": ("\x1b[31mRom", row((5, 8, "LOC")), " [31m[Rom LOC]"),
}


@pytest.mark.parametrize(("text", "answer", "expected"), MARKED.values(), ids=MARKED)
def test_entities_are_marked_in_the_text(text: str | bytes, answer: dict, expected: str) -> None:
    assert marked(text, answer) == expected


def test_colours_stand_in_place_of_brackets() -> None:
    shown = marked("Ada saw", row((0, 3, "PER")), colour=True)
    assert "[Ada" not in shown
    assert shown.startswith("\x1b[")
    assert "Ada" in shown and " PER" in shown
    assert shown.endswith(" saw")


def test_a_text_that_lost_tokens_says_so() -> None:
    answer = {**row((0, 3, "PER")), "dropped_tokens": 7}
    assert for_people("Ada", answer).startswith("[Ada PER]\t(truncated")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    from word_list_tagger import WordListTagger, export

    folder = tmp_path_factory.mktemp("tagger")
    return str(export(WordListTagger(folder / "vocab.txt"), folder / "model" / "1").parent)


def ask(*arguments: str, stdin: bytes | None = None) -> str:
    result = CliRunner().invoke(predict, list(arguments), input=stdin)
    assert result.exit_code == 0, result.output
    return result.stdout


def test_predict_marks_entities_in_a_pipe(model: str) -> None:
    said = ask("--model", model, stdin="Ada Lovelace saw Zürich.\n\nnew york\n".encode())
    assert said.splitlines() == [
        "[Ada Lovelace PER] saw [Zürich LOC].", "", "[new york LOC]"
    ]  # fmt: skip


def test_json_holds_all_fields_cut_to_what_is_real(model: str) -> None:
    text = "Zürich"
    first, _ = map(json.loads, ask("--model", model, "--json", text, "a b c d").splitlines())
    assert first == {
        "text": text, "tokens": ["Zürich"], "tags": ["B-LOC"], "n_tokens": 1,
        "starts": [0], "ends": [7], "char_starts": [0], "char_ends": [6],
        "entities": ["Zürich"], "entity_types": ["LOC"], "n_entities": 1,
        "entity_starts": [0], "entity_ends": [7], "entity_char_starts": [0],
        "entity_char_ends": [6], "entity_scores": [0.9], "dropped_tokens": 0,
    }  # fmt: skip


def test_tokenize_of_a_tagger_is_listed(model: str) -> None:
    assert '"##d"' in ask("--model", model, "--signature", "tokenize", "Ada")


TAGGED = {
    "O is not shown": ([1, 1], [0, 0], ["", ""]),
    "tags at first pieces": ([1, 0], [1, -1], ["B-LOC", ""]),
    "inside": ([1, 1], [1, 2], ["B-LOC", "I-LOC"]),
    "not known": ([1, 0], [-1, -1], ["?", ""]),
    "no words": ([0, 0], [-1, -1], ["", ""]),
}


@pytest.mark.parametrize(("first", "tags", "expected"), TAGGED.values(), ids=TAGGED)
def test_tags_shown_at_pieces(first: list[int], tags: list[int], expected: list[str]) -> None:
    from pipeline.inspection.samples import word_tags

    assert word_tags(first, tags, ["O", "B-LOC", "I-LOC"]) == expected


def test_the_gates_table_has_entities_by_type() -> None:
    from pipeline.cli import gate_view
    from pipeline.outcome import EntityResult, Outcome, SliceResult
    from pipeline.recipe import Gate

    by_type = (
        EntityResult("", 0.5, 0.25, 1 / 3, 8, 4),
        EntityResult("[odd]", 1.0, 0.5, 2 / 3, 2, 1),
    )
    outcome = Outcome(
        data=None, lengths=None, misaligned=0, history=[], blessed=False, serving=None,
        pushed_to=None, baseline="no blessed model yet",
        slices=[
            SliceResult("", "entity_f1", 1 / 3, 12, ("entity_f1 is 0.3333, below 0.8",), by_type),
            SliceResult("source: a", "entity_f1", 0.5, 3, (), by_type[:1]),
        ],
    )  # fmt: skip
    gate = Gate.model_validate({"entity_f1": {"at_least": 0.8}, "slices": ["source"]})
    output = io.StringIO()
    gate_view.show(gate, outcome, Console(file=output, width=120))
    shown = [" ".join(line.split()) for line in output.getvalue().splitlines()]
    assert "gate on the test split: entity F1 ≥ 0.8, may drop 0.0" in shown
    assert "✗ all 0.3333 12 entity_f1 is 0.3333, below 0.8" in shown
    assert "source: a 0.5000 3 reported" in shown
    assert "all 0.5000 0.2500 0.3333 8 4" in shown
    assert "[odd] 1.0000 0.5000 0.6667 2 1" in shown
