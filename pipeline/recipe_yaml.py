"""A YAML file as plain data that remembers on which line each key stands.

YAML 1.1's traps are closed: only ``true`` and ``false`` are booleans (a label called ``no`` stays
a label), ``5e-5`` is a number, and a key that is given twice is an error instead of a silent win
of the second.
"""

import re
from pathlib import Path
from typing import Any

import yaml

from trainer.errors import BadInput

KeyPath = tuple[str | int, ...]


class _Loader(yaml.SafeLoader):
    """PyYAML's safe loader with the scalar types of YAML 1.2."""


_BOOL, _FLOAT, _TIME = (f"tag:yaml.org,2002:{kind}" for kind in ("bool", "float", "timestamp"))
_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in rules if tag not in (_BOOL, _FLOAT, _TIME)]
    for first, rules in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver(_BOOL, re.compile(r"^(true|false|True|False)$"), list("tfTF"))
_Loader.add_implicit_resolver(
    _FLOAT,
    re.compile(r"^[-+]?([0-9]+\.[0-9]*|\.[0-9]+|[0-9]+(?=[eE]))([eE][-+]?[0-9]+)?$"),
    list("-+.0123456789"),
)


class Document:
    """The data of a YAML file and the line of every key.

    Attributes:
        data: the file's mapping.
        path: the file.
        lines: line number (from 1) by key path, e.g. ``("train", "epochs")``.
    """

    def __init__(self, path: Path, data: dict[str, Any], lines: dict[KeyPath, int]) -> None:
        self.path, self.data, self.lines = path, data, lines
        self._overridden: dict[KeyPath, str] = {}

    def where(self, keys: KeyPath) -> str:
        """``recipe.yaml:7: train.epochs`` for a key path, or for its nearest parent's line."""
        dotted = ".".join(map(str, keys))
        for end in range(len(keys), -1, -1):
            if keys[:end] in self._overridden:
                return f"--set {self._overridden[keys[:end]]}"
            if keys[:end] in self.lines:
                return f"{self.path}:{self.lines[keys[:end]]}" + (f": {dotted}" if dotted else "")
        return f"{self.path}" + (f": {dotted}" if dotted else "")

    def set(self, assignment: str) -> None:
        """Overrides one key by ``train.epochs=1``; the value is read as YAML.

        Raises:
            BadInput: when there is no ``=``, no key, or no YAML value.
        """
        dotted, equals, text = assignment.partition("=")
        keys = tuple(dotted.strip().split("."))
        if not equals or not all(keys):
            raise BadInput(
                "not an assignment", where=f"--set {assignment}", fix="Write --set train.epochs=1."
            )
        try:
            value = yaml.load(text, Loader=_Loader)
        except yaml.YAMLError as error:
            raise BadInput(f"not YAML: {text!r}", where=f"--set {assignment}") from error
        inner = self.data
        for key in keys[:-1]:
            if not isinstance(inner.get(key), dict):
                inner[key] = {}
            inner = inner[key]
        inner[keys[-1]] = value
        self._overridden[keys] = assignment


def read(path: Path) -> Document:
    """Reads a YAML file whose top is a mapping.

    Raises:
        BadInput: for a file that is absent, not UTF-8, not YAML, not a mapping, or that gives a
            key twice; with the line.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (FileNotFoundError, IsADirectoryError) as error:
        raise BadInput(
            "no such recipe", where=str(path), fix="Name a YAML file, e.g. recipes/reviews.yaml."
        ) from error
    except UnicodeDecodeError as error:
        raise BadInput(
            "the recipe is not UTF-8", where=str(path), fix="Save it as UTF-8."
        ) from error
    loader = _Loader(text)
    try:
        root = loader.get_single_node()
        if not isinstance(root, yaml.MappingNode):
            raise BadInput("a recipe is a mapping of keys", where=f"{path}:1", fix="See recipes/.")
        lines: dict[KeyPath, int] = {}
        _walk(root, (), lines, path)
        return Document(path, loader.construct_document(root), lines)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise BadInput(f"not YAML: {error.problem}", where=f"{path}:{line}") from error
    except yaml.YAMLError as error:
        raise BadInput(f"not YAML: {error}", where=str(path)) from error
    finally:
        loader.dispose()


def _walk(node: yaml.Node, keys: KeyPath, lines: dict[KeyPath, int], path: Path) -> None:
    lines.setdefault(keys, node.start_mark.line + 1)
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            here = (*keys, str(key.value))
            line = key.start_mark.line + 1
            if here in lines:
                raise BadInput(
                    f"the key `{key.value}` is given twice (first on line {lines[here]})",
                    where=f"{path}:{line}",
                    fix="Delete one of them.",
                )
            lines[here] = line
            _walk(value, here, lines, path)
    elif isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            _walk(item, (*keys, index), lines, path)
