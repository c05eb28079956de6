"""What a recipe says about tagged data, and words with tags to a row with spans."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from components.readers import schemes
from components.readers.rows import BadRow, Row, Spans, decode, fault
from components.readers.words import join
from trainer.errors import BadInput

DEFAULT_SCHEME = "iob2"


class Tagged(NamedTuple):
    """Where a file has its text and its entities, in the file's own names.

    Attributes:
        text: column of the text; conll, which has none, gives the joined words this name.
        label: jsonl: key of the spans; tsv: column of the tags; conll: unused.
        word, tag: conll: columns, from 0, negative from the end.
        scheme: one of ``schemes.SCHEMES``; None before it is found out.
        repair: whether illegal sequences of tags are read all the same.
    """

    text: str = "text"
    label: str = "entities"
    word: int = 0
    tag: int = -1
    scheme: str | None = None
    repair: bool = False

    @classmethod
    def of(cls, text: str, label: str | None, tags: Mapping[str, Any]) -> "Tagged":
        """Makes one of the recipe's ``tags``: ``columns``, ``scheme``, ``repair``.

        Raises:
            BadInput: an unknown scheme.
        """
        columns, scheme = tags.get("columns") or {}, tags.get("scheme")
        if scheme is not None and scheme not in schemes.SCHEMES:
            raise BadInput(
                f"unknown scheme {scheme!r}",
                where="data.scheme",
                fix=f"Known: {', '.join(schemes.SCHEMES)}; without it, it is detected.",
            )
        return cls(
            text,
            label or "entities",
            columns.get("word", 0),
            columns.get("tag", -1),
            scheme,
            bool(tags.get("repair", False)),
        )


class Sentence(NamedTuple):
    """Words and their tags, as many, and the lines they are on."""

    words: list[bytes]
    tags: list[bytes]
    line: int  # of the first word
    step: int  # from a word's line to the next one's: 1 in columns, 0 where a row is a line

    def line_of(self, index: int) -> int:
        """The line of a word."""
        return self.line + self.step * index

    def decoded_tags(self) -> list[str]:
        """The tags as text."""
        return decode(b"\n".join(self.tags)).split("\n") if self.tags else []


def to_row(sentence: Sentence, file: str, tagged: Tagged) -> Row | BadRow:
    """The sentence as a text with byte spans, or what is wrong with it and on which line."""
    words = decode(b"\n".join(sentence.words)).split("\n") if sentence.words else []
    if reason := fault("".join(words)):
        index = next(index for index, word in enumerate(words) if fault(word))
        return BadRow(file, sentence.line_of(index), reason)
    tags = sentence.decoded_tags()
    if tags.count("O") < len(tags):
        broken = schemes.faults(tags, tagged.scheme or DEFAULT_SCHEME)
        bad = schemes.unreadable(tags) if broken else None
        if broken and not tagged.repair:
            bad = bad or broken[0]
        if bad:
            return BadRow(file, sentence.line_of(bad.word), bad.reason)
        found = schemes.to_spans(tags)
    else:
        broken, found = [], []
    text, starts, ends = join(words)
    spans = Spans(
        [starts[span.start] for span in found],
        [ends[span.end - 1] for span in found],
        [span.type for span in found],
        starts,
        ends,
        len(broken),
    )
    return Row({tagged.text: text}, file, sentence.line, spans)
