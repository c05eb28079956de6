"""What a validation says about a tagger's answers that contradict themselves or the text."""

import copy

import numpy as np
import pytest

from serving.validation.tagged import tagged

TEXTS = ["Ada Zoë, Zürich!".encode(), b"", b"x\xff Paris"]
NAMES = ["first", "second", "third"]

# (tag, byte start, byte end, code-point start, code-point end) of every word
WORDS = [
    [("B-PER", 0, 3, 0, 3), ("I-PER", 4, 8, 4, 7), ("O", 8, 9, 7, 8), ("B-LOC", 10, 17, 9, 15),
     ("O", 17, 18, 15, 16)],
    [],
    [("O", 0, 1, 0, 1), ("B-LOC", 3, 8, 3, 8)],
]  # fmt: skip
ENTITIES = [
    [("PER", 0, 8, 0, 7, 0.75), ("LOC", 10, 17, 9, 15, 1.0)],
    [],
    [("LOC", 3, 8, 3, 8, 0.5)],
]


def answer(words=WORDS, entities=ENTITIES):
    """A tagger's padded answer to the texts."""
    edges = ("starts", "ends", "char_starts", "char_ends")
    quoted = [[quote(n, start, end) for _, start, end, *_ in row] for n, row in enumerate(words)]
    outputs = {"tokens": padded(quoted, b""), "tags": padded(column(words, 0), b"")}
    for at, edge in enumerate(edges, 1):
        outputs[edge] = padded(column(words, at), -1)
        outputs[f"entity_{edge}"] = padded(column(entities, at), -1)
    quoted = [[quote(n, start, end) for _, start, end, *_ in row] for n, row in enumerate(entities)]
    return {
        **outputs,
        "entities": padded(quoted, b""),
        "entity_types": padded(column(entities, 0), b""),
        "entity_scores": padded(column(entities, 5), 0.0),
        "n_tokens": np.array([len(row) for row in words], np.int32),
        "n_entities": np.array([len(row) for row in entities], np.int32),
        "dropped_tokens": np.zeros(len(words), np.int32),
    }


def column(rows, at):
    return [[item[at].encode() if at == 0 else item[at] for item in row] for row in rows]


def quote(text, start, end):
    return TEXTS[text][start:end].decode("utf-8", "replace").encode()


def padded(rows, pad):
    width = max(1, *map(len, rows))
    kind = {bytes: object, int: np.int32, float: np.float32}[type(pad)]
    return np.array([[*row, *[pad] * (width - len(row))] for row in rows], kind)


def with_word(text, number, word, words=WORDS):
    changed = copy.deepcopy(words)
    changed[text][number] = word
    return answer(changed)


def with_entity(text, number, entity):
    changed = copy.deepcopy(ENTITIES)
    changed[text][number] = entity
    return answer(entities=changed)


def with_output(name, at, value):
    outputs = answer()
    outputs[name][at] = value
    return outputs


def without(text, number):
    changed = copy.deepcopy(WORDS)
    del changed[text][number]
    return answer(changed)


CONTRADICTIONS = {
    "none": (answer(), None),
    "no entity anywhere": (
        answer([[("O", *edges) for _, *edges in row] for row in WORDS], [[], [], []]), None
    ),
    "bytes for code points": (
        with_word(0, 3, ("B-LOC", 10, 17, 10, 17)), "by code points [10, 17) for first"
    ),
    "code points for bytes": (
        with_entity(0, 1, ("LOC", 9, 15, 9, 15, 1.0)), "differ by bytes [9, 15)"
    ),
    "a span beyond the text": (
        with_word(2, 1, ("B-LOC", 3, 9, 3, 9)), "span [3, 9) in a text of 8 bytes for third"
    ),
    "an empty span": (with_word(0, 2, ("O", 8, 8, 7, 7)), "tokens have a span [8, 8)"),
    "overlap": (with_word(0, 1, ("I-PER", 2, 8, 2, 7)), "overlap or are out of order at byte 2"),
    "another text": (with_output("entities", (2, 0), b"Rome"), "say 'Rome' where the text has"),
    "I at the start": (
        with_word(2, 1, ("I-LOC", 3, 8, 3, 8)), "the tag I-LOC follows O, which IOB2 does not allow"
    ),
    "I of another type": (
        with_word(0, 1, ("I-LOC", 4, 8, 4, 7)), "the tag I-LOC follows B-PER"
    ),
    "another scheme": (with_word(0, 4, ("S-LOC", 17, 18, 15, 16)), "'S-LOC' is no IOB2 tag"),
    "an entity too short": (
        with_entity(0, 0, ("PER", 0, 3, 0, 3, 1.0)), "entities are not those of the tags"
    ),
    "another type": (
        with_entity(2, 0, ("PER", 3, 8, 3, 8, 1.0)), "entities are not those of the tags"
    ),
    "an entity too few": (
        answer(entities=[ENTITIES[0][:1], [], ENTITIES[2]]), "entities are not those of the tags"
    ),
    "a score": (with_entity(0, 0, ("PER", 0, 8, 0, 7, 1.5)), "not between 0 and 1 for first"),
    "a word is lost": (without(0, 0), "the tag I-PER follows O"),
    "an untagged word is lost": (without(2, 0), "no token covers byte 0, and dropped_tokens is 0"),
    "a width of 0": (
        {**answer(), "entities": np.zeros([3, 0], object)}, "not all [batch, n] with n at least 1"
    ),
    "another width": ({**answer(), "tags": answer()["tags"][:, :4]}, "tags [3, 4]"),
    "a count beyond the width": (with_output("n_tokens", 0, 6), "not between 0 and the width 5"),
    "a count too small": (with_output("n_entities", 0, 1), "is not padded with"),
    "padding": (with_output("char_ends", (1, 4), 0), "char_ends is not padded with -1"),
}  # fmt: skip


@pytest.mark.parametrize(("outputs", "found"), CONTRADICTIONS.values(), ids=CONTRADICTIONS)
def test_a_taggers_outputs_agree(outputs, found):
    findings = [str(finding) for finding in tagged(outputs, NAMES, TEXTS)]
    assert bool(findings) == bool(found), findings
    assert not found or any(found in finding for finding in findings), findings


def test_words_that_were_dropped_need_not_be_covered():
    outputs = without(2, 0)
    outputs["dropped_tokens"][2] = 1
    assert tagged(outputs, NAMES, TEXTS) == []


def test_a_noncharacter_may_be_quoted_as_a_replacement_character():
    outputs = {key: value[:1] for key, value in answer([[("O", 0, 3, 0, 1)]], [[]]).items()}
    outputs["tokens"][0, 0] = "\ufffd".encode()
    assert tagged(outputs, ["odd"], ["\ufffe".encode()]) == []
