"""gRPC: TF Serving's ModelService over the real stubs."""

import grpc
from tensorflow_serving.apis import get_model_status_pb2, model_service_pb2_grpc

from serving.server.grpc_calls import spec_of, status
from serving.server.models import Models


class ModelService(model_service_pb2_grpc.ModelServiceServicer):
    """GetModelStatus; HandleReloadConfigRequest is UNIMPLEMENTED yet."""

    def __init__(self, models: Models) -> None:
        self._models = models

    def GetModelStatus(  # noqa: N802
        self, request: get_model_status_pb2.GetModelStatusRequest, context: grpc.ServicerContext
    ) -> get_model_status_pb2.GetModelStatusResponse:
        """Says which versions are loading, served or failed."""
        with status(context, self._models):
            response = get_model_status_pb2.GetModelStatusResponse()
            for version, state in self._models.states(spec_of(request)).items():
                entry = response.model_version_status.add()
                entry.version = version
                entry.state = get_model_status_pb2.ModelVersionStatus.State.Value(state.state)
                entry.status.error_code = int(state.code)
                entry.status.error_message = state.message
            return response


def add_service(server: grpc.Server, models: Models) -> None:
    """Registers the service at a gRPC server that has not been started."""
    model_service_pb2_grpc.add_ModelServiceServicer_to_server(ModelService(models), server)
