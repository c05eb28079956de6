"""The questions that a served model has to answer, and what its answers have to agree with."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from serving.validation import classified, tagged
from serving.validation.interview import (
    Arrays,
    Interview,
    bad_values,
    differences,
)
from serving.validation.report import Finding
from serving.validation.texts import MANY_ROWS, named

IDS, FIRST = "input_word_ids", "first_piece"
_BATCH = 512  # texts in one `tokenize` request
_LONG = 10_000  # bytes

Pieces = Sequence[int]


@dataclass(frozen=True)
class Task:
    """What is particular about a task's answers.

    Attributes:
        check: the name of the check on what its outputs say.
        agree: findings where outputs contradict each other or the texts, from the outputs, the
            texts' names and the texts.
        reads_all: nothing is truncated, so that a long text costs by its length.
    """

    check: str
    agree: Callable[[Arrays, Sequence[str], Sequence[bytes]], list[Finding]]
    reads_all: bool = False


TASKS = {
    "classify": Task(classified.CHECK, classified.classified),
    "tag": Task(tagged.CHECK, tagged.tagged, reads_all=True),
}


def question(interview: Interview, texts: list[bytes], task: str = "classify") -> None:
    """Asks everything about the texts and the odd ones, and notes it in the report.

    Args:
        interview: with the server.
        texts: some of the data's.
        task: `"classify"` or `"tag"`.
    """
    kind = TASKS[task]
    asked = named(texts)
    if kind.reads_all:
        asked = _without_long(interview, asked, kind)
    names, values = list(asked), list(asked.values())
    together = interview.ask("raw strings", values, "texts of the data and odd ones at once")
    alone = [interview.ask("raw strings", [value], name) for name, value in asked.items()]
    if together is None or any(answer is None for answer in alone):
        return
    _note_answer(interview, together, names, values, kind)
    _one_by_one(interview, together, [a for a in alone if a is not None], names)
    _many_and_none(interview, values)
    _examples(interview, together, values, names)
    if task == "classify":
        _classify(interview, together, values, names)
    _tokens(interview, together, values, names)


def _without_long(interview: Interview, asked: dict[str, bytes], kind: Task) -> dict[str, bytes]:
    """Asks the long texts once, alone; gives the others, of which more is asked."""
    for name, value in asked.items():
        if len(value) > _LONG:
            answer = interview.ask("raw strings", [value], name)
            if answer is not None:
                _note_answer(interview, answer, [name], [value], kind)
    return {name: value for name, value in asked.items() if len(value) <= _LONG}


def _note_answer(
    interview: Interview, outputs: Arrays, names: list[str], values: list[bytes], kind: Task
) -> None:
    check, signature = "raw strings", "serving_default"
    findings = bad_values(check, outputs, names, signature)
    interview.note(check, len(names), findings)
    if not findings:
        interview.note(kind.check, len(names), kind.agree(outputs, names, values))


def _one_by_one(
    interview: Interview, together: Arrays, alone: Sequence[Arrays], names: list[str]
) -> None:
    check = "alone as in a batch"
    findings = []
    for row, (name, answer) in enumerate(zip(names, alone, strict=True)):
        part = {key: array[row : row + 1] for key, array in together.items()}
        findings += [
            Finding(check, f"an answer alone differs from the one in a batch: {where}", name)
            for where in differences(answer, part, [name], interview.tolerance)
        ]
    interview.note(check, len(names), findings)


def _many_and_none(interview: Interview, values: list[bytes]) -> None:
    check = "batch sizes"
    for size in (0, MANY_ROWS):
        # The longest texts would make every row of the batch as wide as they are.
        short = [value for value in values if len(value) < 1000]
        rows = [short[n % len(short)] for n in range(size)]
        names = [f"row {n} of {size}" for n in range(size)]
        outputs = interview.ask(check, rows, f"{size} texts at once")
        if outputs is not None:
            findings = bad_values(check, outputs, names, "serving_default")
            interview.note(check, 1, findings)


def _examples(
    interview: Interview, together: Arrays, values: list[bytes], names: list[str]
) -> None:
    check = "examples"
    outputs = interview.ask_examples(check, values, "tf.Examples of the text alone", "examples")
    if outputs is not None:
        found = differences(together, outputs, names, interview.tolerance)
        interview.note(check, len(names), [_disagree(check, where) for where in found])


def _classify(
    interview: Interview, together: Arrays, values: list[bytes], names: list[str]
) -> None:
    check = "classify"
    answers = interview.classify(check, values)
    if answers is None:
        return
    findings = []
    for row, (name, answer) in enumerate(zip(names, answers, strict=True)):
        labels = [label.decode() for label in together["labels"][row]]
        scores = [answer.get(label, np.inf) for label in labels]
        if not np.allclose(scores, together["scores"][row], rtol=0, atol=interview.tolerance):
            findings.append(_disagree(check, f"{name}: scores"))
    interview.note(check, len(names), findings)


def _disagree(check: str, where: str) -> Finding:
    sentence = f"the answer differs from serving_default's for the same text: {where}"
    return Finding(check, sentence, check)


def _tokens(interview: Interview, together: Arrays, values: list[bytes], names: list[str]) -> None:
    check = "tokenize"
    tokens = interview.ask(check, values, "texts of the data and odd ones", "tokenize")
    if tokens is None:
        return
    findings = bad_values(check, tokens, names, check)
    if not findings:
        findings = list(_offsets(tokens, values, names))
        findings += [
            Finding(check, f"dropped_tokens differs from serving_default's for {name}", check)
            for row, name in enumerate(names)
            if tokens["dropped_tokens"][row] != together["dropped_tokens"][row]
        ]
        findings += _transform_features(interview, tokens, together, values, names)
    interview.note(check, len(names), findings)


def _offsets(tokens: Arrays, values: list[bytes], names: list[str]) -> list[Finding]:
    """Offsets that do not lie in the caller's bytes."""
    found = []
    for row, (name, value) in enumerate(zip(names, values, strict=True)):
        real = slice(0, int(tokens["n_pieces"][row]))
        starts, ends = tokens["starts"][row][real], tokens["ends"][row][real]
        if (starts < 0).any() or (ends < starts).any() or (ends > len(value)).any():
            found.append(Finding("tokenize", f"starts and ends leave the text: {name}", "tokenize"))
    return found


def _transform_features(
    interview: Interview, tokens: Arrays, together: Arrays, values: list[bytes], names: list[str]
) -> list[Finding]:
    """Ids and words that `transform_features` makes otherwise of a text without its label."""
    check, signature = "tokenize", "transform_features"
    outputs = interview.ask_examples(check, values, "tf.Examples without a label", signature)
    if outputs is None:
        return []
    if IDS not in outputs:
        return [Finding(check, f"{signature} gives no {IDS}", signature)]
    ids = zip(names, real_ids(tokens), outputs[IDS].tolist(), strict=True)
    found = [
        Finding(check, f"{signature} makes other ids of {name} than tokenize", signature)
        for name, one, other in ids
        if list(one) != other[: len(one)]
    ]
    if FIRST not in outputs:
        return found
    words = zip(names, outputs[FIRST].tolist(), together["n_tokens"].tolist(), strict=True)
    return found + [
        Finding(check, f"{signature} begins {sum(first)} words in {name}, not {count}", signature)
        for name, first, count in words
        if sum(first) != count
    ]


def real_ids(tokens: Arrays) -> list[tuple[int, ...]]:
    """`input_word_ids` of each row without its padding."""
    return [
        tuple(row[:count])
        for row, count in zip(tokens[IDS].tolist(), tokens["n_pieces"].tolist(), strict=True)
    ]


def compare_with_transform(
    interview: Interview, texts: Sequence[bytes], transformed: Sequence[Pieces]
) -> None:
    """Notes where `tokenize` makes other ids of the texts than Transform did.

    Transform keeps no order, so both sides are compared as multisets.

    Args:
        interview: with the server.
        texts: of one split, all of them.
        transformed: `input_word_ids` of the same split's transformed examples.
    """
    check = "skew"
    wanted = Counter(tuple(ids) for ids in transformed)
    differing: list[bytes] = []
    for start in range(0, len(texts), _BATCH):
        batch = texts[start : start + _BATCH]
        tokens = interview.ask(check, batch, "texts of the data", "tokenize")
        if tokens is None:
            return
        for text, ids in zip(batch, real_ids(tokens), strict=True):
            if wanted[ids] <= 0:
                differing.append(text)
            wanted[ids] -= 1
    interview.note(check, len(texts), _skew(check, differing, sum((+wanted).values())))


def _skew(check: str, differing: list[bytes], left_over: int) -> list[Finding]:
    fix = "Train and export again, from the same Transform."
    findings = []
    if differing:
        sentence = f"tokenize makes ids that Transform did not make, of {len(differing)} texts"
        first = differing[0][:80].decode("utf-8", "replace")
        findings.append(Finding(check, sentence, f"the first: {first!r}", fix))
    if left_over:
        sentence = f"{left_over} transformed examples have ids that tokenize makes of no text"
        findings.append(Finding(check, sentence, "tokenize", fix))
    return findings
