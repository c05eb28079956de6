"""Can a TensorFlow Serving release load and run a SavedModel? `python -m serving.ops.check MODEL`.

check(Path("out/reviews/serving/reviews/3"), "2.12")
# [Finding(node="SegmentMaxV2", op="SegmentMaxV2", signatures=("serving_default",), …)]
"""

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path

from tensorflow.core.framework import node_def_pb2
from tensorflow.core.protobuf import meta_graph_pb2

from serving.ops.graph import Place, read_meta_graph, walk
from serving.ops.rules import Problem, problems
from serving.ops.table import OpTable


@dataclass(frozen=True)
class Finding:
    """Something in the model that the release does not know.

    Attributes:
        found: what, in one sentence.
        op: the op's name.
        attribute: the attribute's name; empty where it is about the op itself.
        node: the first node that has it.
        function: the function that the node is in; empty in the main graph.
        signatures: those that reach a node that has it.
        nodes: how many nodes have it.
        since: the first later release that can run the node; None if none can.
        fix: what would do.
    """

    found: str
    op: str
    attribute: str
    node: str
    function: str
    signatures: tuple[str, ...]
    nodes: int
    since: str | None
    fix: str

    @property
    def where(self) -> str:
        """`node X in function F, reached by serving_default`."""
        inside = f"in function {self.function}" if self.function else "in the main graph"
        reached = ", ".join(self.signatures) or "no signature"
        more = f" (and {self.nodes - 1} more)" if self.nodes > 1 else ""
        return f"node {self.node}{more} {inside}, reached by {reached}"

    def __str__(self) -> str:
        return f"{self.found} ({self.where}). {self.fix}"


def check(model: Path, release: str) -> list[Finding]:
    """All findings, one for each op and attribute; an empty list if the release can run it.

    Raises:
        UnknownRelease: the table has no such release.
        FileNotFoundError, ValueError: the folder holds no SavedModel with a `serve` graph.
    """
    return check_graph(read_meta_graph(model), OpTable(release))


def check_graph(meta_graph: meta_graph_pb2.MetaGraphDef, table: OpTable) -> list[Finding]:
    """As `check`, on what was read."""
    functions = {function.signature.name for function in meta_graph.graph_def.library.function}
    grouped: dict[Problem, list[Place]] = {}
    for place in walk(meta_graph):
        if place.node.op in functions:
            continue
        for problem in problems(place.node, table, _data_inputs(place.node)):
            grouped.setdefault(problem, []).append(place)
    return [_finding(problem, places, table) for problem, places in grouped.items()]


def _data_inputs(node: node_def_pb2.NodeDef) -> int:
    return sum(not name.startswith("^") for name in node.input)


def _finding(problem: Problem, places: list[Place], table: OpTable) -> Finding:
    first = max(places, key=lambda place: bool(place.signatures))
    since = _since(first.node, table)
    return Finding(
        found=f"{problem.found} to TensorFlow Serving {table.release}"
        if problem.found.endswith("unknown")
        else f"in TensorFlow Serving {table.release} {problem.found}",
        op=first.node.op,
        attribute=problem.attribute,
        node=first.node.name,
        function=first.function,
        signatures=tuple(sorted({name for place in places for name in place.signatures})),
        nodes=len(places),
        since=since,
        fix=_fix(since),
    )


def _since(node: node_def_pb2.NodeDef, table: OpTable) -> str | None:
    inputs = _data_inputs(node)
    able = (later for later in table.later() if not any(problems(node, later, inputs)))
    return next((later.release for later in able), None)


def _fix(since: str | None) -> str:
    if since:
        return f'Raise serve.tf_serving to "{since}", or avoid it in the exported graph.'
    return "No release in the op table can run it: avoid it in the exported graph."


def main(arguments: list[str] | None = None) -> int:
    """Prints the findings; returns 0 if there are none, 3 otherwise."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", type=Path, help="a SavedModel's folder")
    parser.add_argument("--tf-serving", default="2.12", help="release, e.g. 2.12 (the default)")
    options = parser.parse_args(arguments)
    findings = check(options.model, options.tf_serving)
    for finding in findings:
        print(finding)
    print(f"{len(findings)} findings for TensorFlow Serving {options.tf_serving}")
    return 3 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
