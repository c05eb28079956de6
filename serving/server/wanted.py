"""Which models and versions a server is asked to serve: a flag's base path, or a ModelServerConfig.

Rules and kinds of message: tensorflow_serving/model_servers/server_core.cc.
"""

import dataclasses
from collections.abc import Iterable, Mapping
from pathlib import Path

from serving.errors import Code, ServingError, invalid
from serving.protos import model_server_config_pb2
from serving.server.versions import BasePath

PLATFORM = "tensorflow"
_TENSORFLOW_TYPE = 1  # the deprecated ModelType of model_server_config.proto


@dataclasses.dataclass(frozen=True)
class Policy:
    """Which of the versions found are to be served: all, the newest few, or those named."""

    latest: int = 1
    everything: bool = False
    specific: tuple[int, ...] = ()

    def choose(self, found: Iterable[int]) -> list[int]:
        """The versions to serve, newest first."""
        newest_first = sorted(found, reverse=True)
        if self.everything:
            return newest_first
        if self.specific:
            return [version for version in newest_first if version in self.specific]
        return newest_first[: self.latest]


@dataclasses.dataclass(frozen=True)
class WantedModel:
    """A model to serve: where its versions appear, which of them, and their labels."""

    name: str
    base_path: BasePath
    policy: Policy = Policy()
    labels: Mapping[str, int] = dataclasses.field(default_factory=dict)


def wanted_models(
    config: model_server_config_pb2.ModelServerConfig,
) -> list[WantedModel]:
    """The models of a config; an empty config wants none.

    Raises:
        ServingError: INVALID_ARGUMENT for a name listed twice, another platform or an unfit policy,
            FAILED_PRECONDITION for a custom model config.
    """
    if config.WhichOneof("config") == "custom_model_config":
        message = (
            "Cannot transition to requested config. It is only legal to transition from one "
            "ModelConfigList to another."
        )
        raise ServingError(Code.FAILED_PRECONDITION, message)
    found: dict[str, WantedModel] = {}
    for model in config.model_config_list.config:
        if model.name in found:
            raise invalid(f"Illegal to list model {model.name} multiple times in config list")
        found[model.name] = _wanted(model)
    return list(found.values())


def _wanted(model: model_server_config_pb2.ModelConfig) -> WantedModel:
    if not model.name or not model.base_path:
        raise invalid(f'Illegal model config: name "{model.name}", base_path "{model.base_path}"')
    _check_platform(model)
    if model.logging_config.log_collector_config.type:
        kind = model.logging_config.log_collector_config.type
        raise invalid(
            f"Cannot find LogCollector::Factory for type: {kind} (model {model.name}); "
            "TF Serving's release has none either"
        )
    base = Path(model.base_path)
    if not base.is_absolute():
        raise invalid(
            f"Expected model {model.name} to have an absolute path or URI; got base_path()={base}"
        )
    return WantedModel(model.name, BasePath(base), _policy(model), dict(model.version_labels))


def _check_platform(model: model_server_config_pb2.ModelConfig) -> None:
    if model.model_type and model.model_platform:
        raise invalid(
            "Illegal setting both ModelServerConfig::model_type (deprecated) and "
            "ModelServerConfig::model_platform."
        )
    if not model.model_type and not model.model_platform:
        raise invalid(
            "Illegal setting neither ModelServerConfig::model_type (deprecated) nor "
            "ModelServerConfig::model_platform."
        )
    if model.model_platform not in ("", PLATFORM) or model.model_type not in (0, _TENSORFLOW_TYPE):
        asked = model.model_platform or f"type {model.model_type}"
        raise invalid(f"Unrecognized model platform {asked} of model {model.name}")


def _policy(model: model_server_config_pb2.ModelConfig) -> Policy:
    policy = model.model_version_policy
    choice = policy.WhichOneof("policy_choice")
    if choice == "all":
        return Policy(everything=True)
    if choice == "specific":
        if not policy.specific.versions:
            raise invalid(f"model {model.name}: a specific version policy needs versions")
        return Policy(specific=tuple(policy.specific.versions))
    return Policy(latest=max(1, policy.latest.num_versions))


def relabelled(
    models: Iterable[WantedModel],
    available: Mapping[str, Iterable[int]],
    known: Mapping[str, Mapping[str, int]],
    unavailable_allowed: bool,
) -> dict[str, dict[str, int]]:
    """Each model's labels, if they may be assigned now.

    Args:
        models: the models of the new config.
        available: the versions by model that can be asked now.
        known: the labels by model as they are.
        unavailable_allowed: whether a new label may point at a version that is not available, as
            --allow_version_labels_for_unavailable_models has it.

    Raises:
        ServingError: FAILED_PRECONDITION for a label of a version that is not available.
    """
    for model in models:
        for label, version in model.labels.items():
            moved = known.get(model.name, {}).get(label, version) != version
            if version in available.get(model.name, ()) or (unavailable_allowed and not moved):
                continue
            raise ServingError(
                Code.FAILED_PRECONDITION,
                f"Request to assign label to version {version} of model {model.name}, "
                "which is not currently available for inference",
            )
    return {model.name: dict(model.labels) for model in models}
