"""The text protos that TensorFlow Serving is started with: models, batching, monitoring."""

from google.protobuf import text_format

from serving import text_protos
from serving.text_protos import METRICS_PATH

FOLDER = "/config"
MODELS, BATCHING, MONITORING = "models.config", "batching.config", "monitoring.config"


def models(name: str) -> str:
    """One model under `/models`, its newest version."""
    return text_format.MessageToString(text_protos.one_model(name, f"/models/{name}"))


def monitoring() -> str:
    """Metrics for Prometheus, on the REST port."""
    config = text_protos.MonitoringConfig()
    config.prometheus_config.enable = True
    config.prometheus_config.path = METRICS_PATH
    return text_format.MessageToString(config)
