"""gRPC: TF Serving's ModelService over the real stubs."""

import grpc
from tensorflow_serving.apis import (
    get_model_status_pb2,
    model_management_pb2,
    model_service_pb2_grpc,
)

from serving.errors import invalid
from serving.server.grpc_calls import spec_of, status
from serving.server.models import Models
from serving.server.wanted import wanted_models


class ModelService(model_service_pb2_grpc.ModelServiceServicer):
    """GetModelStatus and HandleReloadConfigRequest."""

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

    def HandleReloadConfigRequest(  # noqa: N802
        self, request: model_management_pb2.ReloadConfigRequest, context: grpc.ServicerContext
    ) -> model_management_pb2.ReloadConfigResponse:
        """Serves the models of the request's config from now on; answers when they are loaded."""
        with status(context, self._models):
            if request.config.WhichOneof("config") != "model_config_list":
                raise invalid(
                    "ServerModelConfig type not supported by HandleReloadConfigRequest. "
                    "Only ModelConfigList is currently supported"
                )
            self._models.apply(wanted_models(request.config))
            return model_management_pb2.ReloadConfigResponse()


def add_service(server: grpc.Server, models: Models) -> None:
    """Registers the service at a gRPC server that has not been started."""
    model_service_pb2_grpc.add_ModelServiceServicer_to_server(ModelService(models), server)
