"""Which rows a recipe keeps, and which of these are no good to it."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from components.readers.rows import BadRow, Row
from components.readers.tagged import Tagged
from trainer.errors import BadInput


class NotKept(NamedTuple):
    """A row that the recipe's ``keep`` leaves out."""


NOT_KEPT = NotKept()


class Selection(NamedTuple):
    """What a recipe wants of a row; made by ``of``."""

    texts: tuple[str, ...]
    label: str | None
    keep: dict[str, frozenset[str]]
    columns: tuple[str, ...]  # what goes on, texts and label among them
    rename: dict[str, str]  # name in the file ▶ name here and in all that follows
    tagged: Tagged | None = None  # where the entities are; the label is no column then

    @classmethod
    def of(
        cls,
        text: str | Sequence[str],
        label: str | None = None,
        keep: Mapping[str, Sequence[object]] | None = None,
        columns: Sequence[str] = (),
        rename: Mapping[str, str] | None = None,
        tags: Mapping[str, Any] | None = None,
    ) -> "Selection":
        """Makes one of a recipe's values; all but ``rename`` use the new names.

        Args:
            tags: for `task: tag`; see ``Tagged.of``.

        Raises:
            BadInput: an unknown scheme, or ``keep`` by the entities.
        """
        texts = (text,) if isinstance(text, str) else tuple(text)
        kept = {column: frozenset(map(_spelled, values)) for column, values in (keep or {}).items()}
        new_names, tagged = dict(rename or {}), None
        if tags is not None:
            in_file = {new: old for old, new in new_names.items()}
            key = in_file.get(label, label) if label else None
            tagged = Tagged.of(in_file.get(texts[0], texts[0]), key, tags)
            _refuse_entities(label, kept, columns)
            label = None
        asked = [*texts, *([label] if label else []), *columns]
        return cls(texts, label, kept, tuple(dict.fromkeys(asked)), new_names, tagged)

    def with_scheme(self, scheme: str) -> "Selection":
        """The same for tags of a scheme that has been found out."""
        assert self.tagged is not None
        return self._replace(tagged=self.tagged._replace(scheme=scheme))

    @property
    def needed(self) -> list[str]:
        """Columns that a file must have: those that go on and those that ``keep`` looks at."""
        in_file = {new: old for old, new in self.rename.items()}
        return [in_file.get(name, name) for name in dict.fromkeys([*self.columns, *self.keep])]

    def judge(self, record: Row | BadRow) -> Row | BadRow | NotKept:
        """The row if it is kept; a row without a text or a label is a bad one.

        An empty text is a text (a served model is asked with one, too); an empty label is none.
        """
        if isinstance(record, BadRow):
            return record
        values = {self.rename.get(name, name): value for name, value in record.values.items()}
        if any(values.get(column) not in kept for column, kept in self.keep.items()):
            return NOT_KEPT
        for column in self.texts:
            if column not in values:
                return BadRow(record.file, record.line, f"no `{column}`")
        if self.label is not None and not values.get(self.label, "").strip():
            return BadRow(record.file, record.line, f"no or an empty `{self.label}`")
        return record._replace(values=values)


def _refuse_entities(label: str | None, kept: Mapping[str, object], columns: Sequence[str]) -> None:
    for key, names in (("data.keep", kept), ("gate.slices", columns)):
        if label in names:
            raise BadInput(
                f"{label!r} holds a text's entities, not one value", where=key, fix="Leave it out."
            )


def _spelled(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
