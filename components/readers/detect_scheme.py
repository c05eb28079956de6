"""Which scheme the tags of a recipe's files are in.

In every scheme legality is a matter of two neighbouring tags, so counts of pairs of neighbours
say all. The scheme that the files break at the fewest places is theirs; at equal counts the first
of iob2, iob1, bioes, bmeos. What that means in doubtful cases:

* Data with an entity cannot be legal as iob2 and iob1 both: after an O one asks for B, the other
  for I. Data without any is called iob2.
* I alone, never B (the "IO" scheme), is iob1, and an entity after another of its type is one
  with it: that is what such tags say.
* B, E and S without I or M (no entity of three words) are legal as bioes and bmeos; they are the
  same in both, and called bioes.

A few illegal sequences change nothing: they are bad rows of the scheme that fits best. But where
more than half of the entities break it, over all files or in one of 20 entities or more, the data
is refused: these are tags of another scheme, or none.
"""

from collections import Counter
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path

from components.readers.formats import tagged_sentences
from components.readers.rows import BadRow, decode
from components.readers.schemes import SCHEMES, begins, is_legal, parse
from components.readers.tagged import Tagged
from trainer.errors import BadInput

MAX_PAIRS = 100_000
ENOUGH = 20  # entities by which a file can be told to be of another scheme than the rest
_Pair = tuple[bytes, bytes]  # a tag and the one after it; O before and after a sentence


class Tally:
    """How often a tag follows another in a file, and where first."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.pairs: Counter[_Pair] = Counter()
        self.lines: dict[_Pair, int] = {}

    def entities(self) -> int:
        """Entities, as far as they can be told without a scheme."""
        return sum(n for pair, n in self.pairs.items() if begins(*map(decode, pair)))

    def broken(self, scheme: str) -> int:
        """Places where the file breaks a scheme."""
        return sum(n for pair, n in self.pairs.items() if not is_legal(scheme, *map(decode, pair)))

    def first_broken(self, scheme: str) -> tuple[int, str]:
        """The first of these: its line, and what is there."""
        line, pair = min(
            (line, pair)
            for pair, line in self.lines.items()
            if not is_legal(scheme, *map(decode, pair))
        )
        before, tag = map(decode, pair)
        for one in (tag, before):
            try:
                parse(one)
            except ValueError as error:
                return line, str(error)
        return line, f"{tag} after {before} is not {scheme}"


def tally(path: Path, format: str | None, tagged: Tagged) -> Tally:
    """Counts the pairs of a file.

    Raises:
        BadInput: the file as a whole cannot be used.
    """
    found = Tally(str(path))
    for sentence in tagged_sentences(path, format, tagged):
        if isinstance(sentence, BadRow):
            continue
        pairs = list(pairwise([b"O", *sentence.tags, b"O"]))
        found.pairs.update(pairs)
        if len(found.lines) < len(found.pairs):
            for index, pair in enumerate(pairs):
                last = min(index, len(pairs) - 2)
                found.lines.setdefault(pair, sentence.line_of(last))
        if len(found.pairs) > MAX_PAIRS:
            raise BadInput(
                f"over {MAX_PAIRS:,} different pairs of neighbouring tags",
                where=f"{path}:{sentence.line}",
                fix="Is the column of tags the right one? See `data.columns`.",
            )
    return found


def scheme_of(files: Iterable[Path], format: str | None, tagged: Tagged) -> str:
    """The scheme of all files: the given one if there is one, else the one that fits best.

    Raises:
        BadInput: a file as a whole cannot be used; or, where nothing is to be repaired, the tags
            are of no scheme, of several, or not of the given one.
    """
    tallies = [tally(path, format, tagged) for path in files]
    scheme = tagged.scheme or _best(tallies)
    unfit = None if tagged.repair else _unfit(tallies, scheme)
    if unfit:
        raise _refusal(unfit, scheme, bool(tagged.scheme))
    return scheme


def _best(tallies: list[Tally]) -> str:
    return min(SCHEMES, key=lambda scheme: sum(found.broken(scheme) for found in tallies))


def _unfit(tallies: list[Tally], scheme: str) -> Tally | None:
    """The first file most of whose entities break the scheme, if it or all have enough of them."""
    broken = [found.broken(scheme) for found in tallies]
    entities = [found.entities() for found in tallies]
    enough = 0 if 2 * sum(broken) > sum(entities) else ENOUGH
    for found, bad, there in zip(tallies, broken, entities, strict=True):
        if 2 * bad > there >= enough:
            return found
    return None


def _refusal(unfit: Tally, scheme: str, is_given: bool) -> BadInput:
    line, reason = unfit.first_broken(scheme)
    where, best = f"{unfit.file}:{line}", _best([unfit])
    if 2 * unfit.broken(best) > unfit.entities():
        return BadInput(
            f"the tags are of no known scheme: {reason}",
            where=where,
            fix=f"Known are {', '.join(SCHEMES)}; the column of tags is `data.columns`.",
        )
    other = "`data.scheme` says" if is_given else "the tags of all files together are"
    return BadInput(
        f"the tags of this file are {best}, {other} {scheme}",
        where=where,
        fix="Convert them to one scheme, or write `repair: true` under `data`: "
        "entities of all schemes are read then, however they are mixed.",
    )
