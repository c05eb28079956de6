"""Every flag of tensorflow_model_server, and what this server makes of it.

Names, types and defaults: tensorflow_serving/model_servers/main.cc of release 2.12 and later.
"""

import dataclasses
import enum
from typing import Any


class Effect(enum.Enum):
    """What happens when a flag is given."""

    OBEYED = "as TF Serving"
    DIFFERS = "differs from TF Serving"
    NOTED = "accepted without effect, with a note"
    REFUSED = "refused"


@dataclasses.dataclass(frozen=True)
class Flag:
    """A flag by TF Serving's name; `says` explains it, or the difference, or the refusal."""

    name: str
    default: Any
    says: str
    effect: Effect = Effect.OBEYED
    aliases: tuple[str, ...] = ()

    @property
    def type(self) -> type:
        """What its value is: bool, int, float or str."""
        return type(self.default)


def _noted(name: str, default: Any, why: str) -> Flag:
    return Flag(name, default, why, Effect.NOTED)


def _refused(name: str, default: Any, why: str) -> Flag:
    return Flag(name, default, why, Effect.REFUSED)


_ANY_PORT = "0 takes any free port (TF Serving: 0 closes the door)"
_TFLITE = "no TensorFlow Lite here: serve the SavedModel"

FLAGS = (
    Flag("port", 8500, f"gRPC port; {_ANY_PORT}", Effect.DIFFERS),
    Flag(
        "rest_api_port",
        8501,
        f"REST port, open by default; {_ANY_PORT}",
        Effect.DIFFERS,
        ("rest-port",),
    ),
    Flag("grpc_socket_path", "", "a Unix socket for gRPC, too"),
    Flag(
        "grpc_max_threads",
        0,
        "gRPC requests at once; 0: 4 a core, 16 at least; to batch, up to 128",
    ),
    Flag("grpc_channel_arguments", "", "name=value,name=value of gRPC's channel arguments"),
    Flag("rest_api_num_threads", 0, "REST requests at once; 0: likewise"),
    Flag("rest_api_timeout_in_ms", 30000, "after which a REST call is answered 504"),
    Flag("rest_api_enable_cors_support", False, "web pages of any origin may call"),
    Flag("model_name", "", 'default: "default", or the folder of PATH', aliases=("name",)),
    Flag("model_base_path", "", "folder with numbered versions; or give PATH"),
    Flag("model_config_file", "", "a ModelServerConfig in text form: several models"),
    Flag("model_config_file_poll_wait_seconds", 0, "how often to read it again; 0: never"),
    Flag(
        "allow_version_labels_for_unavailable_models",
        False,
        "labels may be given to versions that are not loaded (yet)",
    ),
    Flag("file_system_poll_wait_seconds", 1, "how often to look for new versions; 0: never"),
    Flag("max_num_load_retries", 5, "how often a version that failed is tried again"),
    Flag("load_retry_interval_micros", 60_000_000, "how long to wait before that"),
    Flag("enable_batching", False, "run requests that come together as one batch"),
    Flag("batching_parameters_file", "", "BatchingParameters in text form"),
    Flag("monitoring_config_file", "", "MonitoringConfig in text form: Prometheus metrics"),
    Flag("ssl_config_file", "", "SSLConfig in text form: TLS for gRPC, client certificates"),
    Flag("enable_model_warmup", True, "run a model's warm-up requests before users' ones"),
    Flag("num_request_iterations_for_warmup", 1, "how often each of them"),
    Flag("saved_model_tags", "serve", "comma-separated tags of the meta graph to load"),
    Flag("tensorflow_session_parallelism", 0, "threads of the two pools below; 0: by cores"),
    Flag("tensorflow_intra_op_parallelism", 0, "threads within an op"),
    Flag("tensorflow_inter_op_parallelism", 0, "ops at once; -1: all in the thread that asks"),
    Flag("per_process_gpu_memory_fraction", 0.0, "of a GPU's memory"),
    Flag("version", False, "print versions and end"),
    _noted("flush_filesystem_caches", True, "the system's file cache is left alone"),
    _noted("num_load_threads", 0, "versions load beside requests anyway"),
    _noted("num_unload_threads", 0, "versions are drained beside requests anyway"),
    _noted("remove_unused_fields_from_bundle_metagraph", True, "nothing is kept twice"),
    _noted("skip_initialize_tpu", False, "there is no TPU support"),
    _noted("xla_cpu_compilation_enabled", False, "SavedModels compile as they were exported"),
    _noted("xla_gpu_compilation_enabled", False, "SavedModels compile as they were exported"),
    _noted("enable_profiler", True, "there is no profiler service"),
    _refused("enable_per_model_batching_parameters", False, "give --batching_parameters_file"),
    _refused("platform_config_file", "", "give the other flags instead"),
    _refused("tensorflow_session_config_file", "", "give the parallelism flags instead"),
    _refused("thread_pool_factory_config_file", "", "give the parallelism flags instead"),
    _refused("use_alts_credentials", False, "give --ssl_config_file"),
    _refused("enable_signature_method_name_check", False, "method names are always checked"),
    _refused("enable_serialization_as_tensor_content", False, "answers have typed fields"),
    _refused("enable_grpc_healthcheck_service", False, "ask ModelService.GetModelStatus"),
    _refused("mixed_precision", "", "export the model in the precision that you want"),
    _refused("prefer_tflite_model", False, _TFLITE),
    _refused("num_tflite_pools", 0, _TFLITE),
    _refused("num_tflite_interpreters_per_pool", 0, _TFLITE),
)
BY_NAME = {flag.name: flag for flag in FLAGS}
