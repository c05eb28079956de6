"""Classify and Regress: tf.Examples in, typed results out."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
from tensorflow_serving.apis import classification_pb2, input_pb2, regression_pb2

from serving.calls import DEFAULT_SIGNATURE
from serving.errors import Code, ServingError, invalid
from serving.server.servable import Servable, SignatureDef
from serving.tensors import name_of, type_of

CLASSIFY_METHOD = "tensorflow/serving/classify"
REGRESS_METHOD = "tensorflow/serving/regress"

Outputs = Mapping[str, np.ndarray]


class Task(NamedTuple):
    """A method: which signatures fit it, which of their outputs it reads, what it makes of them.

    `outputs(signature)` raises for a signature that does not fit; `result(outputs, batch)` takes
    the arrays by those names and the number of examples.
    """

    method: str
    outputs: Callable[[SignatureDef], list[str]]
    result: Callable[[Outputs, int], Any]


def classify(
    servable: Servable, signature_name: str, request_input: input_pb2.Input
) -> classification_pb2.ClassificationResult:
    """Classes with scores for every example.

    Codes follow tensorflow_serving/servables/tensorflow/classifier.cc.

    Raises:
        ServingError: INVALID_ARGUMENT for a signature that is unknown or no classify signature.
    """
    return _run(CLASSIFY, servable, signature_name, request_input)


def regress(
    servable: Servable, signature_name: str, request_input: input_pb2.Input
) -> regression_pb2.RegressionResult:
    """One value for every example.

    Codes follow tensorflow_serving/servables/tensorflow/regressor.cc.

    Raises:
        ServingError: INVALID_ARGUMENT for a signature that is unknown or no regress signature.
    """
    return _run(REGRESS, servable, signature_name, request_input)


def serialized(request_input: input_pb2.Input) -> np.ndarray:
    """`[batch]` serialized tf.Examples; a context is put before each of them.

    Two serialized messages in a row parse as their merge, which is how TF Serving joins them
    (tensorflow_serving/servables/tensorflow/util.cc).

    Raises:
        ServingError: INVALID_ARGUMENT if there is no example.
    """
    if request_input.WhichOneof("kind") == "example_list_with_context":
        with_context = request_input.example_list_with_context
        context = with_context.context.SerializeToString()
        examples = [context + example.SerializeToString() for example in with_context.examples]
    else:
        examples = [e.SerializeToString() for e in request_input.example_list.examples]
    if not examples:
        raise invalid("Input is empty.")
    return np.array(examples, dtype=object)


def _run(task: Task, servable: Servable, signature_name: str, request_input: Any) -> Any:
    name = signature_name or DEFAULT_SIGNATURE
    signature = servable.signatures.get(name)
    if signature is None:
        raise invalid(f"No signature was found with the name: {name}")
    outputs = task.outputs(signature)
    examples = serialized(request_input)
    return task.result(servable.run(name, {"inputs": examples}, outputs), len(examples))


def _check_method(signature: SignatureDef, method: str, kind: str) -> None:
    if signature.method_name != method:
        raise invalid(
            f"Expected {kind} signature method_name to be {method}. Was: {signature.method_name}"
        )
    if len(signature.inputs) != 1:
        raise invalid("Expected one input Tensor.")


def _classify_outputs(signature: SignatureDef) -> list[str]:
    _check_method(signature, CLASSIFY_METHOD, "classification")
    if len(signature.outputs) not in (1, 2):
        raise invalid(f"Expected one or two output Tensors, found {len(signature.outputs)}")
    if "inputs" not in signature.inputs:
        raise _unfit(f"No classification inputs found in SignatureDef: {signature}")
    outputs = [key for key in ("classes", "scores") if key in signature.outputs]
    if not outputs:
        raise _unfit(
            "Expected classification signature outputs to contain at least one of "
            f'"classes" or "scores". Signature was: {signature}'
        )
    return outputs


def _regress_outputs(signature: SignatureDef) -> list[str]:
    _check_method(signature, REGRESS_METHOD, "regression")
    if len(signature.outputs) != 1:
        raise invalid("Expected one output Tensor.")
    for key, names in (("inputs", signature.inputs), ("outputs", signature.outputs)):
        if key not in names:
            raise _unfit(f"No regression {key} found in SignatureDef: {signature}")
    return ["outputs"]


def _unfit(message: str) -> ServingError:
    return ServingError(Code.FAILED_PRECONDITION, message)


def _classifications(outputs: Outputs, batch: int) -> classification_pb2.ClassificationResult:
    classes, scores = outputs.get("classes"), outputs.get("scores")
    for key, array in outputs.items():
        _check_matrix(key, array, batch, "string" if key == "classes" else "float")
    if classes is not None and scores is not None and classes.shape != scores.shape:
        raise invalid(
            "Tensors class and score should match in dim_size(1). "
            f"Got {classes.shape[1]} vs. {scores.shape[1]}"
        )
    result = classification_pb2.ClassificationResult()
    for row in range(batch):
        answer = result.classifications.add()
        for column in range(next(iter(outputs.values())).shape[1]):
            entry = answer.classes.add()
            if classes is not None:
                entry.label = classes[row, column].decode("utf-8", "replace")
            if scores is not None:
                entry.score = float(scores[row, column])
    return result


def _check_matrix(key: str, array: np.ndarray, batch: int, dtype: str) -> None:
    if array.ndim != 2:
        raise invalid(
            f"Expected Tensor shape: [batch_size num_classes] but got {list(array.shape)}"
        )
    _check_type(f"{key} Tensor", array, dtype)
    if array.shape[0] != batch:
        raise invalid(f"Expected {key} output batch size of {batch}. Got: {array.shape[0]}")


def _check_type(what: str, array: np.ndarray, dtype: str) -> None:
    got = name_of(type_of(array))
    if got != dtype:
        raise invalid(f"Expected {what} of DT_{dtype.upper()}. Got: DT_{got.upper()}")


def _regressions(outputs: Outputs, batch: int) -> regression_pb2.RegressionResult:
    values = outputs["outputs"]
    if values.ndim != 1 and not (values.ndim == 2 and values.shape[1] == 1):
        raise invalid(
            "Expected output Tensor shape to be either [batch_size] or [batch_size, 1] "
            f"but got {list(values.shape)}"
        )
    if len(values) != batch:
        raise invalid(
            f"Input batch size did not match output batch size: {batch} vs. {len(values)}"
        )
    _check_type("output Tensor", values, "float")
    result = regression_pb2.RegressionResult()
    for value in values.ravel().tolist():
        result.regressions.add().value = value
    return result


CLASSIFY = Task(CLASSIFY_METHOD, _classify_outputs, _classifications)
REGRESS = Task(REGRESS_METHOD, _regress_outputs, _regressions)
