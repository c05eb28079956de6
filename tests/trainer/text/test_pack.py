"""[CLS] pieces [SEP], cut to max_tokens, the cut counted."""

import pytest
import tensorflow as tf

from trainer.text.pack import pack
from trainer.text.tokenize import Pieces
from trainer.text.vocabulary import Vocabulary


@pytest.fixture
def vocabulary(write_vocabulary) -> Vocabulary:
    """[CLS] is 2, [SEP] is 3."""
    return Vocabulary.read(str(write_vocabulary("a b")))


def pieces(ids: list[list[int]]) -> Pieces:
    """Pieces whose starts are ten times and whose ends eleven times their ids."""
    ragged = tf.ragged.constant(ids, tf.int32, ragged_rank=1)
    return Pieces(ragged, ragged * 10, ragged * 11, ragged % 2)


@pytest.mark.parametrize(
    ("ids", "max_tokens", "expected", "dropped"),
    [
        ([[5, 6]], 8, [[2, 5, 6, 3]], [0]),
        ([[5, 6]], 4, [[2, 5, 6, 3]], [0]),
        ([[5, 6, 7]], 4, [[2, 5, 6, 3]], [1]),
        ([[], [5], [5, 6, 7, 8]], 4, [[2, 3], [2, 5, 3], [2, 5, 6, 3]], [0, 0, 2]),
        ([[5, 6], []], 2, [[2, 3], [2, 3]], [2, 0]),
        ([[]], 4, [[2, 3]], [0]),
        ([], 4, [], []),
    ],
    ids=["fits", "just fits", "one too many", "several", "only specials", "empty text", "no rows"],
)
def test_pack(
    vocabulary: Vocabulary,
    ids: list[list[int]],
    max_tokens: int,
    expected: list[list[int]],
    dropped: list[int],
) -> None:
    packed = pack(pieces(ids), vocabulary, max_tokens)
    bare = [[token if token > 3 else 0 for token in row] for row in expected]
    assert packed.input_word_ids.to_list() == expected
    assert packed.input_mask.to_list() == [[1] * len(row) for row in expected]
    assert packed.input_type_ids.to_list() == [[0] * len(row) for row in expected]
    assert packed.starts.to_list() == [[10 * token for token in row] for row in bare]
    assert packed.ends.to_list() == [[11 * token for token in row] for row in bare]
    assert packed.first_piece.to_list() == [[token % 2 for token in row] for row in bare]
    assert packed.dropped_tokens.numpy().tolist() == dropped
    assert {values.dtype for values in packed} == {tf.int32}


def test_nothing_is_cut_where_there_is_no_limit(vocabulary: Vocabulary) -> None:
    packed = pack(pieces([list(range(5, 900))]), vocabulary, None)
    assert packed.input_word_ids.to_list() == [[2, *range(5, 900), 3]]
    assert packed.dropped_tokens.numpy().tolist() == [0]


def test_refuses_a_length_without_room_for_the_special_pieces(vocabulary: Vocabulary) -> None:
    with pytest.raises(ValueError, match="max_tokens is 1"):
        pack(pieces([[5]]), vocabulary, 1)
