"""The questions that a served classifier has to answer, and what its answers have to agree with."""

from collections import Counter
from collections.abc import Sequence

import numpy as np

from serving.validation.interview import (
    TOLERANCE,
    Arrays,
    Interview,
    bad_values,
    differences,
)
from serving.validation.report import Finding
from serving.validation.texts import MANY_ROWS, named

IDS = "input_word_ids"
_BATCH = 512  # texts in one `tokenize` request

Pieces = Sequence[int]


def question(interview: Interview, texts: list[bytes]) -> None:
    """Asks everything about the texts and the odd ones, and notes it in the report.

    Args:
        interview: with the server.
        texts: some of the data's.
    """
    asked = named(texts)
    names, values = list(asked), list(asked.values())
    together = interview.ask("raw strings", values, "texts of the data and odd ones at once")
    alone = [interview.ask("raw strings", [value], name) for name, value in asked.items()]
    if together is None or any(answer is None for answer in alone):
        return
    _note_classified(interview, together, names)
    _one_by_one(interview, together, [a for a in alone if a is not None], names)
    _many_and_none(interview, values)
    _examples(interview, together, values, names)
    _classify(interview, together, values, names)
    _tokens(interview, together, values, names)


def _note_classified(interview: Interview, outputs: Arrays, names: list[str]) -> None:
    check, signature = "raw strings", "serving_default"
    findings = bad_values(check, outputs, names, signature)
    interview.note(check, len(names), findings)
    if not findings:
        interview.note("scores", len(names), classified(outputs, names))


def classified(outputs: Arrays, names: Sequence[str]) -> list[Finding]:
    """Findings where label, score, labels and scores of a classifier contradict each other."""
    labels, scores = outputs["labels"], outputs["scores"]
    if labels.shape != scores.shape or labels.ndim != 2 or not labels.shape[1]:
        shapes = f"labels {list(labels.shape)}, scores {list(scores.shape)}"
        return [Finding("scores", f"{shapes} are not both [batch, classes]", "serving_default")]
    found = []
    for row, name in enumerate(names):
        best = float(scores[row].max())
        chosen = [float(s) for s, known in zip(scores[row], labels[row], strict=True)
                  if known == outputs["label"][row]]  # fmt: skip
        problems = {
            "scores do not sum to 1": abs(float(scores[row].sum()) - 1) > TOLERANCE,
            "a score is negative": float(scores[row].min()) < 0,
            "labels are in another order": list(labels[row]) != list(labels[0]),
            "label is not the one with the best score": chosen != [best],
            "score is not the best score": float(outputs["score"][row]) != best,
        }
        found += [
            Finding("scores", f"{problem} for {name}", "serving_default")
            for problem, seen in problems.items()
            if seen
        ]
    return found


def _one_by_one(
    interview: Interview, together: Arrays, alone: Sequence[Arrays], names: list[str]
) -> None:
    check = "alone as in a batch"
    findings = []
    for row, (name, answer) in enumerate(zip(names, alone, strict=True)):
        part = {key: array[row : row + 1] for key, array in together.items()}
        findings += [
            Finding(check, f"an answer alone differs from the one in a batch: {where}", name)
            for where in differences(answer, part, [name])
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
        found = differences(together, outputs, names)
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
        if not np.allclose(scores, together["scores"][row], rtol=0, atol=TOLERANCE):
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
        findings += _transform_features(interview, tokens, values, names)
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
    interview: Interview, tokens: Arrays, values: list[bytes], names: list[str]
) -> list[Finding]:
    """Ids that `transform_features` makes otherwise of the same text; the label is absent."""
    check, signature = "tokenize", "transform_features"
    outputs = interview.ask_examples(check, values, "tf.Examples without a label", signature)
    if outputs is None:
        return []
    if IDS not in outputs:
        return [Finding(check, f"{signature} gives no {IDS}", signature)]
    ids = zip(names, real_ids(tokens), outputs[IDS].tolist(), strict=True)
    return [
        Finding(check, f"{signature} makes other ids of {name} than tokenize", signature)
        for name, one, other in ids
        if list(one) != other[: len(one)]
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
