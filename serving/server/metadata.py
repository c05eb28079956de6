"""What REST says about a model: its versions' states and its signatures, as JSON.

Written by hand in the form of protobuf's JSON mapping with every field printed (64-bit integers
are strings), because the printer's option for that has another name in every protobuf release.
"""

from collections.abc import Mapping
from typing import Any

from tensorflow.core.framework import types_pb2

from serving.server.model import VersionState
from serving.server.servable import Servable, SignatureDef


def status(states: Mapping[int, VersionState]) -> dict[str, Any]:
    """A GetModelStatusResponse."""
    entries = [
        {
            "version": str(version),
            "state": state.state,
            "status": {"error_code": state.code.name, "error_message": state.message},
        }
        for version, state in states.items()
    ]
    return {"model_version_status": entries}


def signatures(name: str, servable: Servable) -> dict[str, Any]:
    """A GetModelMetadataResponse with its `signature_def` unpacked."""
    described = {key: _signature(value) for key, value in servable.declared.items()}
    return {
        "model_spec": {"name": name, "signature_name": "", "version": str(servable.version)},
        "metadata": {"signature_def": {"signature_def": described}},
    }


def _signature(signature: SignatureDef) -> dict[str, Any]:
    return {
        "inputs": {name: _tensor(info) for name, info in signature.inputs.items()},
        "outputs": {name: _tensor(info) for name, info in signature.outputs.items()},
        "method_name": signature.method_name,
        "defaults": {},
    }


def _tensor(info: Any) -> dict[str, Any]:
    shape = info.tensor_shape
    return {
        "dtype": types_pb2.DataType.Name(info.dtype),
        "tensor_shape": {
            "dim": [{"size": str(dim.size), "name": dim.name} for dim in shape.dim],
            "unknown_rank": shape.unknown_rank,
        },
        "name": info.name,
    }
