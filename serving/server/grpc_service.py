"""gRPC: TF Serving's PredictionService and ModelService over the real stubs."""

import contextlib
import logging
from collections.abc import Iterator
from typing import Any

import grpc
from tensorflow_serving.apis import (
    classification_pb2,
    get_model_metadata_pb2,
    get_model_status_pb2,
    model_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
    regression_pb2,
)

from serving import tensors
from serving.errors import Code, ServingError, invalid
from serving.server import examples, inference
from serving.server.models import Models

_log = logging.getLogger(__name__)

# TF Serving has no call that lists its models; a client of ours that was given no name learns the
# names here. Other clients never look.
NAMES_KEY = "rawbert-models"
_MESSAGE_LIMIT = 1024
_CODES = {code.value[0]: code for code in grpc.StatusCode}


class PredictionService(prediction_service_pb2_grpc.PredictionServiceServicer):
    """Predict, Classify, Regress and GetModelMetadata; MultiInference is UNIMPLEMENTED yet."""

    def __init__(self, models: Models) -> None:
        self._models = models

    def Predict(  # noqa: N802 - the name in the proto
        self, request: predict_pb2.PredictRequest, context: grpc.ServicerContext
    ) -> predict_pb2.PredictResponse:
        """Runs any signature on tensors."""
        spec = request.model_spec
        with _status(context, self._models), self._models.servable(_spec_of(request)) as servable:
            inputs = {name: tensors.to_array(t, name) for name, t in request.inputs.items()}
            outputs = inference.predict(
                servable, spec.signature_name, inputs, request.output_filter
            )
            response = predict_pb2.PredictResponse()
            _echo(response.model_spec, spec, servable.version)
            for name, array in outputs.items():
                response.outputs[name].CopyFrom(tensors.to_proto(array))
            return response

    def Classify(  # noqa: N802
        self, request: classification_pb2.ClassificationRequest, context: grpc.ServicerContext
    ) -> classification_pb2.ClassificationResponse:
        """Runs a classify signature on tf.Examples."""
        spec = request.model_spec
        with _status(context, self._models), self._models.servable(_spec_of(request)) as servable:
            result = examples.classify(servable, spec.signature_name, request.input)
            response = classification_pb2.ClassificationResponse(result=result)
            _echo(response.model_spec, spec, servable.version)
            return response

    def Regress(  # noqa: N802
        self, request: regression_pb2.RegressionRequest, context: grpc.ServicerContext
    ) -> regression_pb2.RegressionResponse:
        """Runs a regress signature on tf.Examples."""
        spec = request.model_spec
        with _status(context, self._models), self._models.servable(_spec_of(request)) as servable:
            result = examples.regress(servable, spec.signature_name, request.input)
            response = regression_pb2.RegressionResponse(result=result)
            _echo(response.model_spec, spec, servable.version)
            return response

    def GetModelMetadata(  # noqa: N802
        self,
        request: get_model_metadata_pb2.GetModelMetadataRequest,
        context: grpc.ServicerContext,
    ) -> get_model_metadata_pb2.GetModelMetadataResponse:
        """Says the signatures: names, types and shapes of inputs and outputs."""
        with _status(context, self._models):
            spec = _spec_of(request)
            _check_fields(request.metadata_field)
            with self._models.servable(spec) as servable:
                signatures = get_model_metadata_pb2.SignatureDefMap()
                for name, signature in servable.signatures.items():
                    signatures.signature_def[name].CopyFrom(signature)
                response = get_model_metadata_pb2.GetModelMetadataResponse()
                response.model_spec.name = spec.name
                response.model_spec.version.value = servable.version
                response.metadata["signature_def"].Pack(signatures)
                return response


class ModelService(model_service_pb2_grpc.ModelServiceServicer):
    """GetModelStatus; HandleReloadConfigRequest is UNIMPLEMENTED yet."""

    def __init__(self, models: Models) -> None:
        self._models = models

    def GetModelStatus(  # noqa: N802
        self, request: get_model_status_pb2.GetModelStatusRequest, context: grpc.ServicerContext
    ) -> get_model_status_pb2.GetModelStatusResponse:
        """Says which versions are loading, served or failed."""
        with _status(context, self._models):
            response = get_model_status_pb2.GetModelStatusResponse()
            for version, state in self._models.states(_spec_of(request)).items():
                entry = response.model_version_status.add()
                entry.version = version
                entry.state = get_model_status_pb2.ModelVersionStatus.State.Value(state.state)
                entry.status.error_code = int(state.code)
                entry.status.error_message = state.message
            return response


def add_services(server: grpc.Server, models: Models) -> None:
    """Registers both services at a gRPC server that has not been started."""
    prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(
        PredictionService(models), server
    )
    model_service_pb2_grpc.add_ModelServiceServicer_to_server(ModelService(models), server)


@contextlib.contextmanager
def _status(context: grpc.ServicerContext, models: Models) -> Iterator[None]:
    """Turns errors into the status of the call; `abort` raises and so ends the call."""
    try:
        yield
    except ServingError as error:
        if error.code is Code.NOT_FOUND:
            names = tuple((NAMES_KEY, name) for name in models.names if _is_metadata(name))
            context.set_trailing_metadata(names)
        context.abort(_CODES[int(error.code)], _shortened(error.message))
    except Exception as error:
        _log.exception("a call failed")
        context.abort(grpc.StatusCode.INTERNAL, _shortened(f"{type(error).__name__}: {error}"))


def _is_metadata(value: str) -> bool:
    return value.isascii() and value.isprintable()


def _shortened(message: str) -> str:
    """As tensorflow_serving/model_servers/grpc_status_util.cc: headers must stay small."""
    if len(message) <= _MESSAGE_LIMIT:
        return message
    return message[:_MESSAGE_LIMIT] + "...TRUNCATED"


def _spec_of(request: Any) -> model_pb2.ModelSpec:
    if not request.HasField("model_spec"):
        raise invalid("Missing ModelSpec")
    return request.model_spec


def _check_fields(fields: Any) -> None:
    if not fields:
        raise invalid("GetModelMetadataRequest must specify at least one metadata_field")
    for field in fields:
        if field != "signature_def":
            raise invalid(f"Metadata field {field} is not supported")


def _echo(answer: model_pb2.ModelSpec, asked: model_pb2.ModelSpec, version: int) -> None:
    answer.name = asked.name
    answer.signature_name = asked.signature_name or inference.DEFAULT_SIGNATURE
    answer.version.value = version
