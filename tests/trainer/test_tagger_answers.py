"""What a tagger says of any text: words and entities where they stand in the caller's own bytes."""

import re
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from trainer.model.config import EncoderConfig
from trainer.model.tagger import build_tagger
from trainer.preprocessing import VARIABLE_OUTPUTS
from trainer.servables.tagger import TaggerServable
from trainer.text.pack import pack
from trainer.text.tokenize import PieceTokenizer
from trainer.text.vocabulary import Vocabulary

TYPES = ["LOC", "PER"]
MAX_TOKENS = 12
PIECES = "[PAD] [UNK] [CLS] [SEP] [MASK] a b ##a ##b ss i e 中 . , 😀 א ##א"
PARTS = [
    *"aB.,中אßİ \t\n", "e\u0301", "👩\u200d👩\u200d👧", "\u00ad", "\u200b", "\0", "\u202e", "文",
]  # fmt: skip
ANY_TEXT = st.lists(
    st.sampled_from([*(p.encode() for p in PARTS), b"\xff", b"\xe4\xb8"]), max_size=30
)
Answer = dict[str, Any]


class Served:
    """A tagger of random weights, its tokenizer, and its answers cut to what is real."""

    def __init__(self, folder: Path, head: str, **how: Any) -> None:
        (folder / "vocab.txt").write_text("\n".join(PIECES.split()) + "\n", encoding="utf-8")
        vocabulary = Vocabulary.read(str(folder / "vocab.txt"))
        EncoderConfig(
            vocab_size=len(vocabulary.tokens),
            hidden_size=16,
            num_layers=1,
            num_heads=2,
            intermediate_size=32,
            max_positions=MAX_TOKENS,
            initializer_range=1.0,  # wild, so that there are entities
        ).to_json(folder / "config.json")
        self.tokenizer = PieceTokenizer(vocabulary.path, lower_case=True)

        def transform(columns: dict[str, tf.Tensor]) -> dict[str, Any]:
            packed = pack(self.tokenizer.tokenize(columns["text"]), vocabulary, None)
            made = {**packed._asdict(), "tag_ids": packed.first_piece}
            sparse = {
                name: tf.cast(made[name], tf.int64).to_sparse() for name in VARIABLE_OUTPUTS["tag"]
            }
            return {**sparse, "dropped_tokens": packed.dropped_tokens}

        self.servable = TaggerServable(
            build_tagger(str(folder), len(TYPES), head, "ignore", seed=5),
            transform,
            TYPES,
            text="text",
            vocabulary=vocabulary,
            max_tokens=MAX_TOKENS,
            **how,
        )
        self._predict = self.servable.signatures()["serving_default"]

    def ask(self, texts: list[bytes]) -> dict[str, np.ndarray]:
        answer = self._predict(text=tf.constant(texts, tf.string))
        return {name: value.numpy() for name, value in answer.items()}

    def rows(self, texts: list[bytes]) -> list[Answer]:
        answer = self.ask(texts)
        return [
            {name: _cut(name, value[row], answer, row) for name, value in answer.items()}
            for row in range(len(texts))
        ]


def _cut(name: str, value: Any, answer: Answer, row: int) -> Any:
    if not np.ndim(value):
        return value.item()
    count = "n_entities" if name.startswith("entit") else "n_tokens"
    assert (value[answer[count][row] :] == {"O": b"", "i": -1, "f": 0}[value.dtype.kind]).all()
    return value[: answer[count][row]].tolist()


@pytest.fixture(scope="module", params=["softmax", "crf", "bilstm-crf"])
def served(request: pytest.FixtureRequest, tmp_path_factory) -> Served:
    return Served(tmp_path_factory.mktemp(request.param), request.param)


@pytest.fixture(scope="module")
def one_head(tmp_path_factory) -> Served:
    return Served(tmp_path_factory.mktemp("crf"), "crf")


def test_constant_weights_change_no_answer(one_head: Served, tmp_path: Path) -> None:
    texts = [b"Ada", b"Ada Holm was in Lima.", b"", b" ".join([b"Lima"] * 60)]
    constant = Served(tmp_path, "crf", constant_weights=True)
    for few in (texts[:1], texts[1:2], texts):  # constants, constants, variables
        for name, value in constant.ask(few).items():
            same = np.testing.assert_array_equal if value.dtype.kind != "f" else _near
            same(value, one_head.ask(few)[name], err_msg=name)


def _near(one: np.ndarray, other: np.ndarray, err_msg: str) -> None:
    np.testing.assert_allclose(one, other, atol=1e-5, err_msg=err_msg)


def test_by_hand(one_head: Served) -> None:
    [answer] = one_head.rows(["Aé, 中文".encode()])
    assert [token.decode() for token in answer["tokens"]] == ["Aé", ",", "中", "文"]
    assert (answer["starts"], answer["ends"]) == ([0, 3, 5, 8], [3, 4, 8, 11])
    assert (answer["char_starts"], answer["char_ends"]) == ([0, 2, 4, 5], [2, 3, 5, 6])
    assert answer["dropped_tokens"] == 0


def test_empty_texts_and_no_texts(one_head: Served) -> None:
    for texts in ([], [b""], [b"", b" \t"]):
        answer = one_head.ask(texts)
        assert {value.shape[0] for value in answer.values()} == {len(texts)}
        assert {value.shape[1] for value in answer.values() if value.ndim == 2} == {1}
        assert not answer["n_tokens"].any()
        assert not answer["n_entities"].any()


def _reader(text: bytes) -> Callable[[int], int]:
    """From a byte of a text to how many code points stand before it, U+FFFD for a bad byte."""
    return lambda end: len(text[:end].decode("utf-8", "replace"))


def check_offsets(answer: Answer, text: bytes, tokenizer: PieceTokenizer) -> None:
    spans = list(zip(answer["starts"], answer["ends"], strict=True))
    flat = [edge for span in spans for edge in span]
    assert flat == sorted(flat), "tokens overlap"
    assert all(0 <= start < end <= len(text) for start, end in spans)
    decoded = tf.strings.unicode_decode(text, "UTF-8", errors="replace").numpy()
    whole = "".join(map(chr, decoded))
    for number, token in enumerate(answer["tokens"]):
        first, last = answer["char_starts"][number], answer["char_ends"][number]
        assert whole[first:last] == token.decode()
    alone = tokenizer.tokenize(tf.constant([text[start:end] for start, end in spans], tf.string))
    together = tokenizer.tokenize(tf.constant([text]))
    assert alone.ids.values.numpy().tolist() == together.ids.values.numpy().tolist()
    uncovered = "".join(
        whole[first:last]
        for first, last in zip(
            [0, *answer["char_ends"]], [*answer["char_starts"], len(whole)], strict=True
        )
    )
    assert all(_is_left_out(character) for character in uncovered), repr(uncovered)


def _is_left_out(character: str) -> bool:
    """Space, or what BERT's normalisation removes."""
    return character in " \t\n\ufffd" or unicodedata.category(character) in ("Cc", "Cf", "Mn", "Zs")


def check_tags(answer: Answer, text: bytes) -> None:
    tags = [tag.decode() for tag in answer["tags"]]
    for before, tag in zip(["O", *tags], tags, strict=False):
        assert not tag.startswith("I-") or before[2:] == tag[2:], tags
    starts = [n for n, tag in enumerate(tags) if tag.startswith("B-")]
    assert len(starts) == answer["n_entities"]
    for number, start in enumerate(starts):
        length = len(re.match(r"BI*", "".join(tag[0] for tag in tags[start:])).group())
        first, last = answer["starts"][start], answer["ends"][start + length - 1]
        assert answer["entity_types"][number].decode() == tags[start][2:]
        assert (answer["entity_starts"][number], answer["entity_ends"][number]) == (first, last)
        assert 0 < answer["entity_scores"][number] <= 1 + 1e-5
        inside = tf.strings.unicode_transcode(text[first:last], "UTF-8", "UTF-8").numpy()
        assert answer["entities"][number] == inside


@settings(max_examples=60, deadline=None)
@given(st.lists(ANY_TEXT.map(b"".join), min_size=1, max_size=4))
def test_offsets_point_into_the_callers_text(one_head: Served, texts: list[bytes]) -> None:
    for text, answer in zip(texts, one_head.rows(texts), strict=True):
        check_offsets(answer, text, one_head.tokenizer)
        check_tags(answer, text)


@pytest.mark.parametrize("part", PARTS, ids=ascii)
def test_runs_of_10_kb(one_head: Served, part: str) -> None:
    text = (part * (10_000 // len(part.encode()))).encode()
    [answer] = one_head.rows([text])
    check_offsets(answer, text, one_head.tokenizer)
    check_tags(answer, text)


def test_alone_as_among_others(served: Served) -> None:
    texts = [b"a", "B 中 a, b".encode() * 9, b"", b"b a . a b " * 40, b"\xff", b"a b"]
    for text, answer in zip(texts, served.rows(texts), strict=True):
        [alone] = served.rows([text])
        assert alone.pop("entity_scores") == pytest.approx(answer.pop("entity_scores"), abs=1e-4)
        assert alone == answer


def test_a_text_of_5000_words_is_tagged_to_its_last(served: Served) -> None:
    text = b" ".join([b"a", b"b", b"ab", b".", b"ba"] * 1000)
    [answer] = served.rows([text])
    assert answer["n_tokens"] == 5000
    assert answer["ends"][-1] == len(text)
    assert answer["dropped_tokens"] == 0
    check_tags(answer, text)
    assert max(answer["entity_starts"]) > len(text) // 2, "the second half has entities, too"


def test_windows_are_read_as_texts_and_put_together(tmp_path: Path) -> None:
    """The softmax decides word by word: each word as in a text of its window alone."""
    served = Served(tmp_path, "softmax")
    served.servable._decode = lambda emissions, lengths: (  # no rule about what follows what
        tf.argmax(emissions, -1, tf.int32), tf.reduce_max(tf.nn.softmax(emissions), -1)
    )  # fmt: skip
    words = [b"a", b"b", b".", b"a", b",", b"b", b"b", b".", b"a", b"a", b"b", b",", b"a", b"."]
    features = served.servable.features(tf.constant([b" ".join(words)]))
    cut, _ = served.servable.windows(features)
    expected = []
    for tokens, owned in zip(cut.tokens.to_list(), cut.owned.to_list(), strict=True):
        window = b" ".join(words[token - 1] for token in tokens[1:-1])
        alone = served.servable.features(tf.constant([window]))
        tags, _ = served.servable._tag(alone, alone["starts"][:, 1:-1])
        expected += [tag for tag, mine in zip(tags[0].numpy(), owned[1:-1], strict=True) if mine]
    tags, _ = served.servable._tag(features, features["starts"][:, 1:-1])
    assert cut.rows.shape[0] > 1
    assert tags[0].numpy().tolist() == expected
