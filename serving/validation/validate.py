"""All checks of one model in turn: `python -m serving.validation.validate MODEL`."""

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tensorflow.core.protobuf import meta_graph_pb2

from serving.client import Client
from serving.errors import NotAModel
from serving.ops.check import check_graph
from serving.ops.graph import read_meta_graph
from serving.ops.table import OpTable
from serving.validation import hermetic, latency
from serving.validation.answers import TASKS, compare_with_transform, question
from serving.validation.interview import Died, Interview
from serving.validation.report import Finding, Report
from serving.validation.signatures import check_signatures
from serving.validation.texts import named, spread
from serving.validation.tolerance import tolerance

SAMPLE = 16
_ANSWER_SECONDS = 300.0


def validate(
    model: str,
    *,
    tf_serving: str,
    task: str = "classify",
    text: str = "text",
    texts: Sequence[bytes] = (),
    transformed: Sequence[Sequence[int]] | None = None,
    latency_ms: float | None = None,
) -> Report:
    """Whether a model server of that release can load the model and answer raw strings with it.

    Args:
        model: the SavedModel's folder, local or remote.
        tf_serving: the release, `"2.12"`.
        task: `"classify"` or `"tag"`.
        text: the text column's name in a tf.Example.
        texts: of one split of the data, all of them.
        transformed: `input_word_ids` of the same split's transformed examples; None: not compared.
        latency_ms: most milliseconds that the median request may take; None: measured only.

    Raises:
        UnknownRelease: no op table for the release.
        OSError: a fault of the machine, not of the model.
    """
    report, table = Report(tf_serving), OpTable(tf_serving)
    meta_graph = _read(model, report)
    if meta_graph is None:
        return report
    _check_graph(meta_graph, table, task, report)
    # A model with other signatures cannot be asked, and one with unknown ops need not be.
    if not report.blessed:
        return report
    try:
        with (
            hermetic.served_copy(model) as server,
            Client(server.target, name=server.name, timeout=_ANSWER_SECONDS) as client,
        ):
            report.add("load", 1, [])
            interview = Interview(client, report, text, tolerance(meta_graph))
            _ask(interview, task, list(texts), transformed, latency_ms)
    except NotAModel as error:
        report.add("load", 1, [Finding("load", f"the model does not load: {error.found}")])
    except Died as error:
        report.add("load", 1, [Finding("load", str(error))])
    return report


def _read(model: str, report: Report) -> meta_graph_pb2.MetaGraphDef | None:
    """The graph, or a finding."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            hermetic.copy_graph(model, Path(folder))
            return read_meta_graph(Path(folder))
        except (FileNotFoundError, ValueError) as error:
            report.add("load", 1, [Finding("load", str(error).replace(folder, model))])
            return None


def _check_graph(
    meta_graph: meta_graph_pb2.MetaGraphDef, table: OpTable, task: str, report: Report
) -> None:
    graph = meta_graph.graph_def
    nodes = len(graph.node) + sum(len(f.node_def) for f in graph.library.function)
    found = check_graph(meta_graph, table)
    report.add("ops", nodes, [Finding("ops", f.found, f.where, f.fix) for f in found])
    report.add("hermetic", nodes, hermetic.foreign_files(meta_graph))
    signatures = check_signatures(meta_graph, task)
    report.add("signatures", len(meta_graph.signature_def), signatures)


def _ask(
    interview: Interview,
    task: str,
    texts: list[bytes],
    transformed: Sequence[Sequence[int]] | None,
    latency_ms: float | None,
) -> None:
    sample = spread(texts, SAMPLE)
    question(interview, sample, task)
    if transformed is not None:
        compare_with_transform(interview, texts, transformed)
    if TASKS[task].check not in interview.report.checks:
        return
    short = [text for text in named([]).values() if len(text) < 1000]
    timed = latency.measure(interview.client, sample or short)
    interview.report.latency = timed
    interview.report.add("latency", timed.requests, latency.judge(timed, latency_ms))


def main(arguments: list[str] | None = None) -> int:
    """Prints the report; returns 0 for a blessed model, 3 otherwise."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", help="a SavedModel's folder")
    parser.add_argument("--tf-serving", default="2.12", help="release, e.g. 2.12 (the default)")
    parser.add_argument("--text", default="text", help="the text column in a tf.Example")
    parser.add_argument("--task", default="classify", choices=sorted(TASKS))
    options = parser.parse_args(arguments)
    report = validate(
        options.model, tf_serving=options.tf_serving, task=options.task, text=options.text
    )
    print(report.to_json())
    return 0 if report.blessed else 3


if __name__ == "__main__":
    sys.exit(main())
