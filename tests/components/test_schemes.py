"""Schemes of tags: what is legal, spans there and back, and the words between them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.readers.schemes import (
    SCHEMES,
    convert,
    faults,
    parse,
    to_spans,
    to_tags,
    unreadable,
)
from components.readers.words import is_unspaced, join

TYPES = ["PER", "LOC", "creative-work", "组织"]


@st.composite
def entities(draw):
    """(spans, words): spans that may touch, of one type or of several, in a text of words."""
    spans, end = [], 0
    for _ in range(draw(st.integers(0, 6))):
        start = end + draw(st.integers(0, 2))
        end = start + draw(st.integers(1, 4))
        spans.append((start, end, draw(st.sampled_from(TYPES))))
    return spans, end + draw(st.integers(0, 2))


@pytest.mark.parametrize("scheme", SCHEMES)
@given(entities())
def test_spans_to_tags_and_back_is_the_same(scheme, drawn):
    spans, words = drawn
    tags = to_tags([*map(tuple_to_span, spans)], words, scheme)
    assert (len(tags), unreadable(tags), faults(tags, scheme)) == (words, None, [])
    assert to_spans(tags) == spans


@given(entities(), st.sampled_from(SCHEMES), st.sampled_from(SCHEMES))
def test_conversion_keeps_the_entities(drawn, scheme, target):
    tags = to_tags([*map(tuple_to_span, drawn[0])], drawn[1], scheme)
    converted = convert(tags, scheme, target)
    assert to_spans(converted) == drawn[0]
    assert convert(converted, target, scheme) == tags


def tuple_to_span(parts):
    from components.readers.schemes import Span

    return Span(*parts)


ANY_TAGS = st.lists(st.sampled_from(["O", *(f"{p}-{t}" for p in "BIESM" for t in ("X", "Y"))]))


@given(ANY_TAGS, st.sampled_from(SCHEMES))
def test_legal_is_what_to_tags_writes(tags, scheme):
    """Whatever faults() lets pass is the one spelling of its spans in the scheme."""
    spelled_so = to_tags(to_spans(tags), len(tags), scheme) == tags
    assert (not faults(tags, scheme)) == spelled_so


LEGAL = {
    "iob2": "B-X I-X O B-X B-X B-Y I-Y",
    "iob1": "I-X I-X O I-X B-X I-Y I-Y",
    "bioes": "B-X E-X O S-X S-X B-Y E-Y",
    "bmeos": "B-X E-X O S-X S-X B-Y E-Y",
}


@pytest.mark.parametrize("scheme", SCHEMES)
def test_one_text_in_all_schemes(scheme):
    tags = LEGAL["iob2"].split()
    assert convert(tags, "iob2", scheme) == LEGAL[scheme].split()
    three = convert(["B-X", "I-X", "I-X"], "iob2", scheme)
    inside = {"bioes": "B-X I-X E-X", "bmeos": "B-X M-X E-X", "iob1": "I-X I-X I-X"}
    assert " ".join(three) == inside.get(scheme, "B-X I-X I-X")


ILLEGAL = {
    "I begins, iob2": ("iob2", "I-X O", [(0, "I-X at the beginning is not iob2")]),
    "I after O, iob2": ("iob2", "O I-X", [(1, "I-X after O is not iob2")]),
    "I of another type, iob2": ("iob2", "B-X I-Y", [(1, "I-Y after B-X is not iob2")]),
    "S in iob2": (
        "iob2",
        "S-X",
        [(0, "S-X at the beginning is not iob2"), (0, "S-X at the end is not iob2")],
    ),
    "B begins, iob1": ("iob1", "B-X I-X", [(0, "B-X at the beginning is not iob1")]),
    "B of another type, iob1": ("iob1", "I-X B-Y", [(1, "B-Y after I-X is not iob1")]),
    "B alone, bioes": ("bioes", "B-X O", [(1, "O after B-X is not bioes")]),
    "B at the end, bioes": ("bioes", "O B-X", [(1, "B-X at the end is not bioes")]),
    "E alone, bioes": ("bioes", "O E-X", [(1, "E-X after O is not bioes")]),
    "S inside, bioes": ("bioes", "B-X S-X E-X", [(1, "S-X after B-X is not bioes"),
                                                 (2, "E-X after S-X is not bioes")]),
    "E of another type, bmeos": ("bmeos", "B-X E-Y", [(1, "E-Y after B-X is not bmeos")]),
    "I in bmeos": ("bmeos", "B-X I-X E-X", [(1, "I-X after B-X is not bmeos"),
                                            (2, "E-X after I-X is not bmeos")]),
}  # fmt: skip


@pytest.mark.parametrize("scheme, tags, expected", ILLEGAL.values(), ids=ILLEGAL)
def test_illegal_sequences_are_named(scheme, tags, expected):
    assert faults(tags.split(), scheme) == expected
    with pytest.raises(ValueError, match=f"word {expected[0][0]}: {expected[0][1]}"):
        convert(tags.split(), scheme, "iob2")


REPAIRED = {
    "I begins": ("I-X I-X O", [(0, 2, "X")]),
    "I after another type": ("B-X I-Y", [(0, 1, "X"), (1, 2, "Y")]),
    "not closed": ("B-X O S-Y", [(0, 1, "X"), (2, 3, "Y")]),
    "E alone": ("O E-X E-X", [(1, 2, "X"), (2, 3, "X")]),
    "S inside": ("B-X S-X I-X", [(0, 1, "X"), (1, 2, "X"), (2, 3, "X")]),
    "all schemes mixed": ("B-X I-X M-X E-X I-X", [(0, 4, "X"), (4, 5, "X")]),
}


@pytest.mark.parametrize("tags, spans", REPAIRED.values(), ids=REPAIRED)
def test_repair(tags, spans):
    assert to_spans(tags.split()) == spans


NO_TAGS = {
    "PER": "tag 'PER' has no prefix",
    "o": "tag 'o' has no prefix",
    "": "tag '' has no prefix",
    "U-PER": "tag 'U-PER' has the unknown prefix 'U'",
    "b-PER": "tag 'b-PER' has the unknown prefix 'b'",
    "B-": "tag 'B-' names no type",
    "O-PER": "tag 'O-PER' has the unknown prefix 'O'",
    "B_PER": "tag 'B_PER' has no prefix",
}


@pytest.mark.parametrize("tag, message", NO_TAGS.items(), ids=NO_TAGS)
def test_what_is_no_tag(tag, message):
    with pytest.raises(ValueError, match=message):
        parse(tag)
    assert unreadable(["O", "B-X", tag]).word == 2


UNFIT = {"empty": [(1, 1, "X")], "overlap": [(0, 2, "X"), (1, 3, "X")], "beyond": [(2, 4, "X")]}


@pytest.mark.parametrize("spans", UNFIT.values(), ids=UNFIT)
def test_spans_that_are_no_tags(spans):
    with pytest.raises(ValueError):
        to_tags([*map(tuple_to_span, spans)], 3, "iob2")


JOINED = {
    "latin": (["EU", "rejects", "."], "EU rejects ."),
    "chinese": (["海", "钓", "，", "在"], "海钓，在"),
    "chinese and latin": (["在", "E", "U", "买"], "在 E U 买"),
    "fullwidth digits": (["１", "９", "年"], "１９年"),
    "kana": (["トヨタ", "の", "車"], "トヨタの車"),
    "ideographic space": (["海", "\u3000", "钓"], "海\u3000钓"),
    "korean": (["서울", "에서"], "서울 에서"),
    "emoji": (["😀", "😀", "⛔"], "😀 😀 ⛔"),
    "combining": (["e\u0301", "a"], "e\u0301 a"),
    "beyond the basic plane": (["𠀀", "𠀁"], "𠀀𠀁"),
    "chinese with shared signs": (["约", "翰", "·", "史", "说", "…", "…", "“", "好", "”", "。"],
                                  "约翰·史说……“好”。"),
    "shared signs elsewhere": (["“", "é", "…", "…", "”", "EU", "—", "a"], "“ é … … ” EU — a"),
    "shared signs between the two": (["“", "EU", "”", "的", "“"], "“ EU ”的“"),
    "one": (["a"], "a"),
    "none": ([], ""),
}  # fmt: skip


@pytest.mark.parametrize("words, text", JOINED.values(), ids=JOINED)
def test_words_are_joined_and_found_again(words, text):
    joined = join(words)
    assert joined.text == text
    raw = text.encode()
    cut = [raw[s:e].decode() for s, e in zip(joined.starts, joined.ends, strict=True)]
    assert cut == words


@given(st.lists(st.text(st.sampled_from("aß海の서😀\u3000é\u0301“·"), min_size=1)))
def test_every_word_is_where_join_says(words):
    text, starts, ends = join(words)
    raw = text.encode()
    assert [raw[s:e].decode() for s, e in zip(starts, ends, strict=True)] == words
    assert text.replace(" ", "") == "".join(words)


def test_scripts_without_spaces():
    assert [c for c in "a海のカ，１ａ각ᄀㄱ😀é\u3000㈱" if is_unspaced(c)] == list(
        "海のカ，１ａ\u3000"
    )
