"""Classify and Regress: tf.Examples in, typed results out."""

import numpy as np
from tensorflow_serving.apis import classification_pb2, input_pb2, regression_pb2

from serving.errors import Code, ServingError, invalid
from serving.server.inference import DEFAULT_SIGNATURE
from serving.server.servable import Servable, SignatureDef

CLASSIFY_METHOD = "tensorflow/serving/classify"
REGRESS_METHOD = "tensorflow/serving/regress"


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


def classify(
    servable: Servable, signature_name: str, request_input: input_pb2.Input
) -> classification_pb2.ClassificationResult:
    """Classes with scores for every example.

    Codes follow tensorflow_serving/servables/tensorflow/classifier.cc.

    Raises:
        ServingError: INVALID_ARGUMENT for a signature that is unknown or no classify signature.
    """
    name = signature_name or DEFAULT_SIGNATURE
    signature = _signature(servable, name, CLASSIFY_METHOD, "classification")
    outputs = [key for key in ("classes", "scores") if key in signature.outputs]
    if not outputs:
        raise _lacks("classification", 'outputs "classes" or "scores"')
    examples = serialized(request_input)
    arrays = servable.run(name, {"inputs": examples}, outputs)
    for key, array in arrays.items():
        _check_matrix(key, array, len(examples), object if key == "classes" else np.float32)
    return _classifications(arrays.get("classes"), arrays.get("scores"))


def regress(
    servable: Servable, signature_name: str, request_input: input_pb2.Input
) -> regression_pb2.RegressionResult:
    """One value for every example.

    Codes follow tensorflow_serving/servables/tensorflow/regressor.cc.

    Raises:
        ServingError: INVALID_ARGUMENT for a signature that is unknown or no regress signature.
    """
    name = signature_name or DEFAULT_SIGNATURE
    signature = _signature(servable, name, REGRESS_METHOD, "regression")
    if "outputs" not in signature.outputs:
        raise _lacks("regression", "outputs")
    examples = serialized(request_input)
    values = servable.run(name, {"inputs": examples}, ["outputs"])["outputs"]
    if values.size != len(examples) or values.dtype != np.float32:
        raise invalid(
            "Expected output Tensor shape to be either [batch_size] or [batch_size, 1] of "
            f"DT_FLOAT but got {list(values.shape)} of {values.dtype}"
        )
    result = regression_pb2.RegressionResult()
    for value in values.ravel().tolist():
        result.regressions.add().value = value
    return result


def _signature(servable: Servable, name: str, method: str, kind: str) -> SignatureDef:
    signature = servable.signatures.get(name)
    if signature is None:
        raise invalid(f"No signature was found with the name: {name}")
    if signature.method_name != method:
        raise invalid(
            f"Expected {kind} signature method_name to be {method}. Was: {signature.method_name}"
        )
    if len(signature.inputs) != 1:
        raise invalid("Expected one input Tensor.")
    if "inputs" not in signature.inputs:
        raise _lacks(kind, "inputs")
    return signature


def _lacks(kind: str, what: str) -> ServingError:
    return ServingError(Code.FAILED_PRECONDITION, f"No {kind} {what} found in SignatureDef")


def _check_matrix(key: str, array: np.ndarray, batch: int, dtype: type) -> None:
    if array.ndim != 2:
        raise invalid(
            f"Expected Tensor shape: [batch_size num_classes] but got {list(array.shape)}"
        )
    if array.dtype != dtype:
        wanted = "DT_STRING" if dtype is object else "DT_FLOAT"
        raise invalid(f"Expected {key} Tensor of {wanted}. Got: {array.dtype}")
    if array.shape[0] != batch:
        raise invalid(f"Expected {key} output batch size of {batch}. Got: {array.shape[0]}")


def _classifications(
    classes: np.ndarray | None, scores: np.ndarray | None
) -> classification_pb2.ClassificationResult:
    batch, width = next(array for array in (classes, scores) if array is not None).shape
    if classes is not None and scores is not None and classes.shape != scores.shape:
        raise invalid(
            "Tensors class and score should match in dim_size(1). "
            f"Got {classes.shape[1]} vs. {scores.shape[1]}"
        )
    result = classification_pb2.ClassificationResult()
    for row in range(batch):
        answer = result.classifications.add()
        for column in range(width):
            entry = answer.classes.add()
            if classes is not None:
                entry.label = classes[row, column].decode("utf-8", "replace")
            if scores is not None:
                entry.score = float(scores[row, column])
    return result
