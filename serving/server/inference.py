"""Predict, free of any protocol: checks a request against the signature and runs it."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from serving import tensors
from serving.calls import DEFAULT_SIGNATURE
from serving.errors import Code, ServingError, invalid
from serving.server.servable import Servable, SignatureDef


def predict(
    servable: Servable,
    signature_name: str,
    inputs: Mapping[str, np.ndarray],
    output_filter: Sequence[str] = (),
) -> dict[str, np.ndarray]:
    """Answers a Predict request; an empty signature name means `serving_default`.

    Codes and kinds of message follow tensorflow_serving/servables/tensorflow/predict_util.cc.

    Raises:
        ServingError: FAILED_PRECONDITION for an unknown signature, INVALID_ARGUMENT for inputs or
            filtered outputs that the signature does not have, else what the graph says.
    """
    name = signature_name or DEFAULT_SIGNATURE
    if name not in servable.signatures:
        message = f'Serving signature key "{name}" not found.'
        raise ServingError(Code.FAILED_PRECONDITION, message)
    signature = servable.signatures[name]
    _check_inputs(signature, inputs)
    return servable.run(name, inputs, _outputs(signature, output_filter))


def _check_inputs(signature: SignatureDef, inputs: Mapping[str, np.ndarray]) -> None:
    sent, wanted = set(inputs), set(signature.inputs)
    if len(sent) != len(wanted):
        raise invalid(
            f"input size does not match signature: {len(sent)}!={len(wanted)} "
            f"len({_braced(sent)}) != len({_braced(wanted)}). "
            f"Sent extra: {_braced(sent - wanted)}. "
            f"Missing but required: {_braced(wanted - sent)}."
        )
    for name in sorted(sent):
        if name not in wanted:
            raise invalid(
                f"input tensor alias not found in signature: {name}. "
                f"Inputs expected to be in the set {_braced(wanted)}."
            )
    for position, name in enumerate(sorted(wanted)):
        _check_tensor(position, name, signature.inputs[name], inputs[name])


def _check_tensor(position: int, name: str, info: object, array: np.ndarray) -> None:
    # The session would cast a wrong type silently; DirectSession, which TF Serving runs, refuses.
    want, got = info.dtype, tensors.type_of(array)  # type: ignore[attr-defined]
    if got != want:
        want_name, got_name = tensors.name_of(want), tensors.name_of(got)
        raise invalid(f"Expects arg[{position}] to be {want_name} but {got_name} is provided")
    shape = info.tensor_shape  # type: ignore[attr-defined]
    if not _fits(shape, array.shape):
        raise invalid(
            f"input {name} must have shape {tf.TensorShape(shape)} (None is any size), "
            f"got {list(array.shape)}"
        )


def _fits(declared: Any, shape: tuple[int, ...]) -> bool:
    # As TensorShape.is_compatible_with, which takes a quarter of the time of a whole request.
    sizes = [dim.size for dim in declared.dim]
    return declared.unknown_rank or (
        len(sizes) == len(shape)
        and all(size in (-1, own) for size, own in zip(sizes, shape, strict=True))
    )


def _outputs(signature: SignatureDef, output_filter: Sequence[str]) -> list[str]:
    seen: list[str] = []
    for name in output_filter:
        if name not in signature.outputs:
            raise invalid(
                f"output tensor alias not found in signature: {name} "
                f"Outputs expected to be in the set {_braced(signature.outputs)}."
            )
        if name in seen:
            raise invalid(f"duplicate output tensor alias: {name}")
        seen.append(name)
    return seen or sorted(signature.outputs)


def _braced(names: object) -> str:
    return "{" + ",".join(sorted(names)) + "}"  # type: ignore[call-overload]
