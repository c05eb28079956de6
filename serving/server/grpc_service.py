"""gRPC: TF Serving's PredictionService over the real stubs."""

from typing import Any

import grpc
from tensorflow_serving.apis import (
    classification_pb2,
    get_model_metadata_pb2,
    inference_pb2,
    model_pb2,
    predict_pb2,
    prediction_service_pb2_grpc,
    regression_pb2,
)

from serving import tensors
from serving.calls import DEFAULT_SIGNATURE
from serving.errors import invalid
from serving.server import examples, inference, multi_inference
from serving.server.grpc_calls import spec_of, status
from serving.server.models import Models


class PredictionService(prediction_service_pb2_grpc.PredictionServiceServicer):
    """Predict, Classify, Regress, MultiInference and GetModelMetadata."""

    def __init__(self, models: Models) -> None:
        self._models = models

    def Predict(  # noqa: N802 - the name in the proto
        self, request: predict_pb2.PredictRequest, context: grpc.ServicerContext
    ) -> predict_pb2.PredictResponse:
        """Runs any signature on tensors."""
        spec = request.model_spec
        with status(context, self._models), self._models.servable(spec_of(request)) as servable:
            inputs = {name: tensors.to_array(t, name) for name, t in request.inputs.items()}
            outputs = inference.predict(
                servable, spec.signature_name, inputs, request.output_filter
            )
            response = predict_pb2.PredictResponse()
            _echo(response.model_spec, spec, servable.version)
            for name, array in outputs.items():
                tensors.to_proto(array, response.outputs[name])
            return response

    def Classify(  # noqa: N802
        self, request: classification_pb2.ClassificationRequest, context: grpc.ServicerContext
    ) -> classification_pb2.ClassificationResponse:
        """Runs a classify signature on tf.Examples."""
        spec = request.model_spec
        with status(context, self._models), self._models.servable(spec_of(request)) as servable:
            result = examples.classify(servable, spec.signature_name, request.input)
            response = classification_pb2.ClassificationResponse(result=result)
            _echo(response.model_spec, spec, servable.version)
            return response

    def Regress(  # noqa: N802
        self, request: regression_pb2.RegressionRequest, context: grpc.ServicerContext
    ) -> regression_pb2.RegressionResponse:
        """Runs a regress signature on tf.Examples."""
        spec = request.model_spec
        with status(context, self._models), self._models.servable(spec_of(request)) as servable:
            result = examples.regress(servable, spec.signature_name, request.input)
            response = regression_pb2.RegressionResponse(result=result)
            _echo(response.model_spec, spec, servable.version)
            return response

    def MultiInference(  # noqa: N802
        self, request: inference_pb2.MultiInferenceRequest, context: grpc.ServicerContext
    ) -> inference_pb2.MultiInferenceResponse:
        """Runs several classify and regress signatures on the same tf.Examples at once."""
        spec = multi_inference.spec_of(request)
        with status(context, self._models), self._models.servable(spec) as servable:
            return multi_inference.infer(servable, request)

    def GetModelMetadata(  # noqa: N802
        self,
        request: get_model_metadata_pb2.GetModelMetadataRequest,
        context: grpc.ServicerContext,
    ) -> get_model_metadata_pb2.GetModelMetadataResponse:
        """Says the signatures: names, types and shapes of inputs and outputs."""
        with status(context, self._models):
            spec = spec_of(request)
            _check_fields(request.metadata_field)
            with self._models.servable(spec) as servable:
                signatures = get_model_metadata_pb2.SignatureDefMap()
                for name, signature in servable.declared.items():
                    signatures.signature_def[name].CopyFrom(signature)
                response = get_model_metadata_pb2.GetModelMetadataResponse()
                response.model_spec.name = spec.name
                response.model_spec.version.value = servable.version
                response.metadata["signature_def"].Pack(signatures)
                return response


def add_service(server: grpc.Server, models: Models) -> None:
    """Registers the service at a gRPC server that has not been started."""
    prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(
        PredictionService(models), server
    )


def _check_fields(fields: Any) -> None:
    if not fields:
        raise invalid("GetModelMetadataRequest must specify at least one metadata_field")
    for field in fields:
        if field != "signature_def":
            raise invalid(f"Metadata field {field} is not supported")


def _echo(answer: model_pb2.ModelSpec, asked: model_pb2.ModelSpec, version: int) -> None:
    answer.name = asked.name
    answer.signature_name = asked.signature_name or DEFAULT_SIGNATURE
    answer.version.value = version
