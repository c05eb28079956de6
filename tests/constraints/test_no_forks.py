"""One source tree for both stacks: nothing in it asks which one it is on."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROOMS = ("trainer", "components", "pipeline", "serving")


def forks(source: str) -> Iterator[str]:
    """Where a version is compared, or one thing imported where another is missing."""
    for node in ast.walk(ast.parse(source)):
        compared = isinstance(node, ast.Compare) and any(map(_is_version, ast.walk(node)))
        if compared or (isinstance(node, ast.Try) and _imports_either(node)):
            yield f"line {node.lineno}"


def _is_version(node: ast.AST) -> bool:
    return isinstance(node, ast.Attribute) and node.attr in ("version_info", "__version__")


def _imports_either(node: ast.Try) -> bool:
    bodies = [node.body, *(handler.body for handler in node.handlers)]
    return sum(isinstance(body[0], ast.Import | ast.ImportFrom) for body in bodies) > 1


@pytest.mark.parametrize(
    ("source", "is_one"),
    [("import sys\nif sys.version_info >= (3, 12): pass", True),
     ("import sys\nif sys.version_info[1] > 10: pass", True),
     ("import tensorflow as tf\nnew = tf.__version__ > '2.16'", True),
     ("try:\n    import a\nexcept ImportError:\n    import b as a", True),
     ("import kfp\nprint(kfp.__version__)", False),
     ("try:\n    import a\nexcept ImportError:\n    raise SystemExit('install a')", False)],
    ids=["Python", "a part of Python", "TensorFlow", "another module",
         "a version told", "an absence told"],
)  # fmt: skip
def test_what_a_fork_is(source: str, is_one: bool) -> None:
    assert bool(list(forks(source))) == is_one


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_has_none(room: str) -> None:
    found = [
        f"{path.relative_to(ROOT)}, {fork}"
        for path in sorted((ROOT / room).rglob("*.py"))
        for fork in forks(path.read_text(encoding="utf-8"))
    ]
    assert not found
