"""Flags and the files that they name, as Settings."""

from pathlib import Path
from typing import Any

from serving import text_protos
from serving.batching_parameters import Batching, read_batching
from serving.errors import BadConfig, ServingError
from serving.protos import model_server_config_pb2
from serving.server.settings import Loading, Retries, Settings, Tls, default_threads
from serving.server.versions import open_base_path
from serving.server.wanted import WantedModel, wanted_models


def settings_of(options: Any) -> Settings:
    """The settings that parsed flags ask for.

    Raises:
        BadConfig: flags that do not go together, or a file that is wrong.
        NotAModel: nothing at PATH or --model_base_path can be served.
    """
    if options.demo and options.no_rest:
        raise BadConfig("--demo", "the page asks over REST: leave --no-rest out")
    batching = _batching(options)
    threads = default_threads(batching)
    return Settings(
        models=_models(options),
        host=options.host,
        port=options.port,
        rest_port=None if options.no_rest else options.rest_api_port,
        socket_path=options.grpc_socket_path or None,
        threads=options.grpc_max_threads or threads,
        rest_threads=options.rest_api_num_threads or threads,
        rest_timeout_seconds=options.rest_api_timeout_in_ms / 1000,
        rest_origins=("*",) if options.rest_api_enable_cors_support else (),
        loading=_loading(options, batching),
        retries=Retries(options.max_num_load_retries, options.load_retry_interval_micros / 1e6),
        poll_seconds=options.file_system_poll_wait_seconds,
        config_file=Path(options.model_config_file) if options.model_config_file else None,
        config_poll_seconds=options.model_config_file_poll_wait_seconds,
        unavailable_labels=options.allow_version_labels_for_unavailable_models,
        tls=_tls(options.ssl_config_file) if options.ssl_config_file else None,
        channel_arguments=_channel_arguments(options.grpc_channel_arguments),
        metrics_path=_metrics_path(options.monitoring_config_file),
        demo=options.demo,
    )


def read_models(path: str | Path) -> list[WantedModel]:
    """The models of a ModelServerConfig file.

    Raises:
        BadConfig: no such proto, or one that TF Serving would refuse.
    """
    config = text_protos.read(path, model_server_config_pb2.ModelServerConfig())
    try:
        return wanted_models(config)
    except ServingError as error:
        raise BadConfig(str(path), error.message) from error


def _models(options: Any) -> tuple[WantedModel, ...]:
    if options.model_config_file:
        return tuple(read_models(options.model_config_file))
    if options.path and options.model_base_path:
        raise BadConfig("--model_base_path", "PATH was given, too: one of them is enough")
    if not options.path and not options.model_base_path:
        raise BadConfig(
            "command line", "no model: give PATH, --model_base_path or --model_config_file"
        )
    base = open_base_path(options.path or options.model_base_path)
    fallback = base.default_name if options.path else "default"
    return (WantedModel(options.model_name or fallback, base),)


def _batching(options: Any) -> Batching | None:
    if not options.enable_batching:
        if options.batching_parameters_file:
            raise BadConfig("--batching_parameters_file", "is set without --enable_batching")
        return None
    file = options.batching_parameters_file
    return read_batching(file) if file else Batching()


def _loading(options: Any, batching: Batching | None) -> Loading:
    both = options.tensorflow_session_parallelism
    intra, inter = options.tensorflow_intra_op_parallelism, options.tensorflow_inter_op_parallelism
    if both and (intra or inter):
        raise BadConfig(
            "--tensorflow_session_parallelism",
            "does not go with --tensorflow_intra_op_parallelism, --tensorflow_inter_op_parallelism",
        )
    return Loading(
        tags=tuple(options.saved_model_tags.split(",")),
        batching=batching,
        warm_iterations=(
            max(1, options.num_request_iterations_for_warmup) if options.enable_model_warmup else 0
        ),
        intra_op_threads=both or intra,
        inter_op_threads=both or inter,
        gpu_memory_fraction=options.per_process_gpu_memory_fraction,
    )


def _tls(path: str) -> Tls:
    config = text_protos.read(path, text_protos.SSLConfig())
    if not config.server_key or not config.server_cert:
        raise BadConfig(path, "server_key and server_cert must hold PEM text")
    if config.client_verify and not config.custom_ca:
        raise BadConfig(path, "client_verify needs custom_ca, which signs the clients")
    return Tls(
        config.server_key.encode(),
        config.server_cert.encode(),
        config.custom_ca.encode() or None,
        config.client_verify,
    )


def _channel_arguments(text: str) -> tuple[tuple[str, str | int], ...]:
    found: list[tuple[str, str | int]] = []
    for part in filter(None, text.split(",")):
        name, equals, value = part.partition("=")
        if not equals:
            raise BadConfig("--grpc_channel_arguments", f"{part!r} is not of the form name=value")
        number = value.removeprefix("-").isdigit()
        found.append((name, int(value) if number else value))
    return tuple(found)


def _metrics_path(file: str) -> str | None:
    if not file:
        return None
    config = text_protos.read(file, text_protos.MonitoringConfig()).prometheus_config
    if config.path and not config.path.startswith("/"):
        raise BadConfig(file, f"prometheus_config.path must begin with a slash, not {config.path}")
    return (config.path or text_protos.METRICS_PATH) if config.enable else None
