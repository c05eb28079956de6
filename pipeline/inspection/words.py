"""What the vocabulary lacks: unknown pieces by label or entity type, words split into many."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import tensorflow as tf

from pipeline.inspection.subject import Subject
from pipeline.page.blocks import Block, Section, Table, Text
from trainer import batches

_MOST_WORDS = 400_000  # split words that are counted by name; above, the rare half is forgotten
_SHOWN, _LABELS = 15, 100
_RAGGED = tf.io.RaggedFeature(tf.int64, row_splits_dtype=tf.int64)


@dataclass
class Counts:
    """Over all splits.

    Attributes:
        pieces, unknown: by label id or type id; −1 is what has none.
        split: words of more than one piece, as tuples of ids.
        met: pieces by id.
        forgot: whether rare words were forgotten to keep memory small.
    """

    pieces: Counter[int] = field(default_factory=Counter)
    unknown: Counter[int] = field(default_factory=Counter)
    split: Counter[tuple[int, ...]] = field(default_factory=Counter)
    met: Counter[int] = field(default_factory=Counter)
    forgot: bool = False

    def add(self, ids: np.ndarray, groups: np.ndarray, unk: int, continues: np.ndarray) -> None:
        """Takes in pieces, ``[pieces]``, in the order of the texts; without special ones."""
        _add(self.met, ids)
        _add(self.pieces, groups)
        _add(self.unknown, groups[ids == unk])
        self.split.update(split_words(ids, continues[ids]))
        if len(self.split) > _MOST_WORDS:
            self.split = Counter(dict(self.split.most_common(_MOST_WORDS // 2)))
            self.forgot = True


def section(subject: Subject) -> Section:
    """Counts over all splits of the transformed examples."""
    counts = Counts()
    vocabulary = subject.vocabulary
    continues = np.array([token.startswith("##") for token in vocabulary.tokens])
    for ids, groups in _pieces(subject):
        real = (ids != vocabulary.cls) & (ids != vocabulary.sep)
        counts.add(ids[real], groups[real], vocabulary.unk, continues)
    total = max(1, counts.met.total())
    unknown = counts.met[vocabulary.unk]
    blocks: list[Block] = [
        Text(
            f"{total:,} pieces in all, {len(counts.met):,} of {len(vocabulary.tokens):,} met;"
            f" [UNK] {unknown:,} ({unknown / total:.3%});"
            f" {sum(n for i, n in counts.met.items() if continues[i]) / total:.1%} continue a word."
        ),
        _unknown(counts, subject),
        *_split(counts, vocabulary.tokens),
    ]
    return Section("Pieces and words", blocks)


def _pieces(subject: Subject) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Ids of a thousand texts' pieces, and the label or type of each."""
    tagger = subject.task == "tag"
    spec = {"input_word_ids": _RAGGED}
    if tagger:
        spec |= {"first_piece": _RAGGED, "tag_ids": _RAGGED}
    else:
        spec["label"] = tf.io.FixedLenFeature([], tf.int64)
    for serialized in batches.read([str(subject.transformed / "Split-*" / "*")]).batch(1024):
        rows = tf.io.parse_example(serialized, spec)
        ids = rows["input_word_ids"]
        if tagger:
            groups = types_of_pieces(
                rows["first_piece"].values.numpy(), rows["tag_ids"].values.numpy()
            )
        else:
            groups = np.repeat(rows["label"].numpy(), ids.row_lengths().numpy())
        yield ids.values.numpy(), groups


def types_of_pieces(first: np.ndarray, tags: np.ndarray) -> np.ndarray:
    """Entity type of each piece by its word's tag: O −1, B-X and I-X of type t both t.

    Args:
        first: 1 where a word begins; a text's [CLS] comes before its first word.
        tags: at first pieces; 0 is O, then B and I of each type in turn, −1 unknown.
    """
    begins = np.maximum.accumulate(np.where(first == 1, np.arange(len(first)), 0))
    return np.where(tags[begins] > 0, (tags[begins] - 1) // 2, -1)


def split_words(ids: np.ndarray, continues: np.ndarray) -> Iterator[tuple[int, ...]]:
    """Words of two pieces or more.

    >>> list(split_words(np.array([5, 6, 7, 5]), np.array([False, True, True, False])))
    [(5, 6, 7)]
    """
    starts = np.flatnonzero(~continues)
    ends = np.append(starts, len(ids))[1:]
    longer = ends - starts > 1
    listed = ids.tolist()
    for start, end in zip(starts[longer].tolist(), ends[longer].tolist(), strict=True):
        yield tuple(listed[start:end])


def _unknown(counts: Counts, subject: Subject) -> Table:
    rows = []
    for group, pieces in counts.pieces.items():
        unknown = counts.unknown[group]
        name = subject.names[group] if group >= 0 else "O" if subject.task == "tag" else "no label"
        rows.append((unknown / pieces, [name, f"{pieces:,}", f"{unknown:,}"]))
    rows.sort(key=lambda row: -row[0])
    what = "entity type" if subject.task == "tag" else "label"
    return Table(
        [what, "pieces", "[UNK]", "share"],
        [[*cells, f"{share:.3%}"] for share, cells in rows[:_LABELS]],
        caption=f"Unknown pieces by {what}"
        + (f", the {_LABELS} highest of {len(rows):,}" if len(rows) > _LABELS else ""),
    )


def _split(counts: Counts, tokens: list[str]) -> list[Table]:
    note = " (rare ones were not kept)" if counts.forgot else ""
    costly = sorted(counts.split.items(), key=lambda item: item[1] * (len(item[0]) - 1))
    longest = sorted(counts.split.items(), key=lambda item: (len(item[0]), item[1]))
    captions = ("Words that cost the most pieces", "Words split into the most pieces")
    return [
        Table(
            ["word", "as", "pieces", "times"],
            [
                [_word(word, tokens), " ".join(tokens[i] for i in word), f"{len(word)}", f"{n:,}"]
                for word, n in order[: -_SHOWN - 1 : -1]
            ],
            texts=2,
            caption=caption + note,
        )
        for caption, order in zip(captions, (costly, longest), strict=True)
        if order
    ]


def _word(ids: tuple[int, ...], tokens: list[str]) -> str:
    return "".join(tokens[i].removeprefix("##") for i in ids)


def _add(counter: Counter[int], values: np.ndarray) -> None:
    unique, numbers = np.unique(values, return_counts=True)
    counter.update(dict(zip(unique.tolist(), numbers.tolist(), strict=True)))
