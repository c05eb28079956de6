"""Asks a served model and keeps what is wrong with its answers."""

from collections.abc import Mapping, Sequence
from typing import Any

import grpc
import numpy as np
import tensorflow as tf
from tensorflow_serving.apis import classification_pb2, prediction_service_pb2_grpc

from serving.client import Client
from serving.errors import ServingError, Unreachable
from serving.rows import rows
from serving.validation.report import Finding, Report
from serving.validation.signatures import wants_example

_MOST_FINDINGS = 5

Arrays = Mapping[str, np.ndarray]
Rows = list[dict[str, Any]]


class Died(RuntimeError):
    """The server's process ended under a request."""


class Interview:
    """A client with a report to write into.

    Args:
        client: of the server that holds the model.
        report: gets a count and findings for each check.
        text: the text column's name in a tf.Example.
        tolerance: how far two answers to one text may be apart; see `serving.validation.tolerance`.
    """

    def __init__(self, client: Client, report: Report, text: str, tolerance: float) -> None:
        self.client, self.report, self.text, self.tolerance = client, report, text, tolerance

    def note(self, check: str, looked_at: int, findings: Sequence[Finding]) -> None:
        """Writes a check's findings, the first few if they are many."""
        kept = list(findings[:_MOST_FINDINGS])
        if len(findings) > _MOST_FINDINGS:
            more = len(findings) - _MOST_FINDINGS
            kept.append(Finding(check, f"{more} more findings of this kind"))
        self.report.add(check, looked_at, kept)

    def ask(
        self, check: str, texts: Sequence[bytes], what: str, signature: str = "serving_default"
    ) -> dict[str, np.ndarray] | None:
        """The outputs for raw texts; None, with a finding, if the model refuses them.

        Raises:
            Died: the server did not survive the request.
        """
        return self._ask(check, {"text": texts}, what, signature)

    def ask_examples(
        self, check: str, texts: Sequence[bytes], what: str, signature: str
    ) -> dict[str, np.ndarray] | None:
        """As `ask`, with each text in a tf.Example that holds nothing else."""
        examples = [example(text, self.text).SerializeToString() for text in texts]
        return self._ask(check, {"examples": examples}, what, signature)

    def classify(self, check: str, texts: Sequence[bytes]) -> list[dict[str, float]] | None:
        """Scores by label for each text, over TF Serving's Classify; None as with `ask`."""
        request = classification_pb2.ClassificationRequest()
        request.model_spec.name, request.model_spec.signature_name = self.client.name, "classify"
        request.input.example_list.examples.extend(example(text, self.text) for text in texts)
        with grpc.insecure_channel(self.client.target) as channel:
            stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)
            try:
                response = stub.Classify(request, timeout=self.client.timeout)
            except grpc.RpcError as error:
                answer = f"{error.code().name}: {error.details()}"
                self.note(check, 1, [Finding(check, f"Classify answers {answer}", "classify")])
                return None
        return [{c.label: c.score for c in r.classes} for r in response.result.classifications]

    def _ask(
        self, check: str, inputs: dict[str, Sequence[bytes]], what: str, signature: str
    ) -> dict[str, np.ndarray] | None:
        try:
            return self.client.predict_arrays(inputs, signature)
        except Unreachable as error:
            raise Died(f"the server process ended while {signature} was asked {what}") from error
        except ServingError as error:
            self.note(check, 1, [_refusal(check, error, what, signature)])
            return None


def _refusal(check: str, error: ServingError, what: str, signature: str) -> Finding:
    if signature == "serving_default" and "parse example" in error.message.lower():
        return wants_example(f"asked {what}, it answers {error.message[:200]!r}")
    return Finding(check, f"asked {what}, {signature} answers {str(error)[:500]}", signature)


def example(text: bytes, column: str) -> tf.train.Example:
    """A tf.Example of the text alone."""
    feature = tf.train.Feature(bytes_list=tf.train.BytesList(value=[text]))
    return tf.train.Example(features=tf.train.Features(feature={column: feature}))


def bad_values(check: str, outputs: Arrays, names: Sequence[str], signature: str) -> list[Finding]:
    """Floats that are not finite, strings that are not UTF-8, outputs of another batch size."""
    found = []
    for key, array in outputs.items():
        if array.ndim == 0 or len(array) != len(names):
            sentence = f"{key} has shape {list(array.shape)} for {len(names)} texts"
            found.append(Finding(check, sentence, signature))
            continue
        found += [
            Finding(check, f"{key} is {problem} for {name}", signature)
            for row, name in enumerate(names)
            if (problem := _bad(array[row : row + 1]))
        ]
    return found


def _bad(row: np.ndarray) -> str:
    if row.dtype.kind == "f":
        return "" if np.isfinite(row).all() else "not finite"
    return "" if row.dtype.kind != "O" or all(map(_is_utf8, row.ravel())) else "not UTF-8"


def _is_utf8(value: bytes) -> bool:
    try:
        value.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def differences(one: Arrays, other: Arrays, names: Sequence[str], tolerance: float) -> list[str]:
    """`text 3: scores` for each text and output where two answers to the same texts differ.

    Padding is cut first; floats may differ by the tolerance, and a label with them where two
    scores are that close.
    """
    pairs = zip(names, rows(one), rows(other), strict=True)
    return [
        f"{name}: {key}"
        for name, left, right in pairs
        for key in left
        if key not in right or not _same(left[key], right[key], tolerance)
        if not (key == "label" and _is_tie(left, tolerance))
    ]


def _is_tie(row: Mapping[str, Any], tolerance: float) -> bool:
    best = sorted(row.get("scores", ()), reverse=True)[:2]
    return len(best) == 2 and best[0] - best[1] <= tolerance


def _same(left: Any, right: Any, tolerance: float) -> bool:
    if isinstance(left, list) and isinstance(right, list):
        pairs = zip(left, right, strict=False)
        return len(left) == len(right) and all(_same(*pair, tolerance) for pair in pairs)
    if isinstance(left, float) and isinstance(right, float):
        return abs(left - right) <= tolerance
    return left == right
