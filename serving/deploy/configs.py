"""The text protos that TensorFlow Serving is started with.

models.config is a ModelServerConfig. monitoring.config is a MonitoringConfig, which no wheel ships
(tensorflow/serving, config/monitoring_config.proto, commit 021efbd).
"""

from google.protobuf import text_format
from tensorflow_serving.config import model_server_config_pb2

FOLDER = "/config"
MODELS, BATCHING, MONITORING = "models.config", "batching.config", "monitoring.config"
METRICS_PATH = "/monitoring/prometheus/metrics"


def models(name: str) -> str:
    """One model under `/models`, its newest version."""
    config = model_server_config_pb2.ModelServerConfig()
    model = config.model_config_list.config.add(
        name=name, base_path=f"/models/{name}", model_platform="tensorflow"
    )
    model.model_version_policy.latest.num_versions = 1
    return text_format.MessageToString(config)


def monitoring() -> str:
    """Metrics for Prometheus, on the REST port."""
    return f'prometheus_config {{\n  enable: true\n  path: "{METRICS_PATH}"\n}}\n'
