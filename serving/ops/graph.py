"""Walks a SavedModel's graph: every node, its function and the signatures that reach it."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tensorflow.core.framework import graph_pb2, node_def_pb2
from tensorflow.core.protobuf import meta_graph_pb2, saved_model_pb2

SERVE = "serve"
MAIN_GRAPH = ""


@dataclass(frozen=True)
class Place:
    """A node and where it stands.

    Attributes:
        node: the NodeDef.
        function: the FunctionDef's name, `""` in the main graph.
        signatures: those that reach the node, sorted; empty for what only the loading runs, and for
            functions that nothing calls.
    """

    node: node_def_pb2.NodeDef
    function: str
    signatures: tuple[str, ...]


def read_meta_graph(model: Path) -> meta_graph_pb2.MetaGraphDef:
    """The meta graph tagged `serve` alone, as TF Serving loads it.

    Raises:
        FileNotFoundError: no `saved_model.pb`: no SavedModel, or one in TF 2.15's chunked form.
        ValueError: it cannot be parsed, or has no such meta graph.
    """
    path = model / "saved_model.pb"
    if not path.exists():
        raise FileNotFoundError(f"{model} has no saved_model.pb")
    saved_model = saved_model_pb2.SavedModel()
    try:
        saved_model.ParseFromString(path.read_bytes())
    except Exception as error:  # protobuf's DecodeError has no common home over its versions
        raise ValueError(f"{path} cannot be parsed: {error}") from error
    for meta_graph in saved_model.meta_graphs:
        if set(meta_graph.meta_info_def.tags) == {SERVE}:
            return meta_graph
    raise ValueError(f'{path} has no meta graph tagged "{SERVE}"')


def walk(meta_graph: meta_graph_pb2.MetaGraphDef) -> Iterator[Place]:
    """Every node of the main graph, then of every function of the library."""
    graph = meta_graph.graph_def
    of_node, of_function = _signatures(meta_graph)
    for node in graph.node:
        yield Place(node, MAIN_GRAPH, tuple(sorted(of_node[node.name])))
    for function in graph.library.function:
        name = function.signature.name
        for node in function.node_def:
            yield Place(node, name, tuple(sorted(of_function[name])))


def called(node: node_def_pb2.NodeDef) -> set[str]:
    """Functions that a node names: its op, in its attributes, in the attributes of those."""
    return {node.op} | _functions(node.attr.values())


def _functions(values: Iterable[Any]) -> set[str]:
    found: set[str] = set()
    for value in values:
        for function in (*((value.func,) if value.HasField("func") else ()), *value.list.func):
            found |= {function.name} | _functions(function.attr.values())
    return found


def _signatures(
    meta_graph: meta_graph_pb2.MetaGraphDef,
) -> tuple[dict[str, set[str]], dict[str, set[str]]]:
    """Signatures that reach each node of the main graph, and each function."""
    graph = meta_graph.graph_def
    nodes = {node.name: node for node in graph.node}
    calls = _call_graph(graph)
    of_node: dict[str, set[str]] = defaultdict(set)
    of_function: dict[str, set[str]] = defaultdict(set)
    for name, signature in meta_graph.signature_def.items():
        if name.startswith("__saved_model"):
            continue  # the initialisers: run at load, by no request
        outputs = (tensor.name for tensor in signature.outputs.values())
        reached = _closure(outputs, lambda node: nodes[node].input if node in nodes else ())
        for node in reached:
            of_node[node].add(name)
        used = set().union(*(called(nodes[node]) for node in reached if node in nodes), set())
        for function in _closure(used, lambda function: calls.get(function, ())):
            of_function[function].add(name)
    return of_node, of_function


def _call_graph(graph: graph_pb2.GraphDef) -> dict[str, set[str]]:
    return {
        function.signature.name: set().union(*(called(node) for node in function.node_def), set())
        for function in graph.library.function
    }


def _closure(start: Iterable[str], follow: Any) -> set[str]:
    """All names reachable from `start`; tensor names and control inputs count as their node."""
    seen: set[str] = set()
    open_names = [_node_name(name) for name in start]
    while open_names:
        name = open_names.pop()
        if name not in seen:
            seen.add(name)
            open_names += [_node_name(following) for following in follow(name)]
    return seen


def _node_name(tensor: str) -> str:
    return tensor.removeprefix("^").split(":")[0]
