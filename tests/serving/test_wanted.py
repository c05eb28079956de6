"""ModelServerConfig files: which models, versions and labels, and what TF Serving refuses."""

from pathlib import Path

import pytest

from serving.errors import BadConfig, Code, ServingError
from serving.server.from_flags import read_models
from serving.server.versions import BasePath
from serving.server.wanted import Policy, WantedModel, relabelled

MODEL = 'name: "a" base_path: "/m/a" model_platform: "tensorflow"'


def read(tmp_path: Path, *models: str) -> list[WantedModel]:
    file = tmp_path / "models.config"
    configs = "\n".join(f"config {{ {model} }}" for model in models)
    file.write_text(f"model_config_list {{\n{configs}\n}}\n")
    return read_models(file)


@pytest.mark.parametrize(
    ("model", "policy"),
    [
        (MODEL, Policy()),
        (f"{MODEL} model_version_policy {{ latest {{ num_versions: 2 }} }}", Policy(latest=2)),
        (f"{MODEL} model_version_policy {{ all {{}} }}", Policy(everything=True)),
        (
            f"{MODEL} model_version_policy {{ specific {{ versions: 7 versions: 3 }} }}",
            Policy(specific=(7, 3)),
        ),
        ('name: "a" base_path: "/m/a" model_type: TENSORFLOW', Policy()),
    ],
    ids=["newest", "two newest", "all", "by number", "the deprecated type"],
)
def test_policies(tmp_path: Path, model: str, policy: Policy) -> None:
    (wanted,) = read(tmp_path, model)
    assert (wanted.name, wanted.base_path, wanted.policy) == ("a", BasePath(Path("/m/a")), policy)


def test_several_models_with_labels_and_sampling(tmp_path: Path) -> None:
    first, second = read(
        tmp_path,
        f'{MODEL} version_labels {{ key: "stable" value: 7 }}',
        'name: "b" base_path: "/m/b" model_platform: "tensorflow" '
        "logging_config { sampling_config { sampling_rate: 0.1 } }",
    )
    assert (dict(first.labels), second.name) == ({"stable": 7}, "b")


@pytest.mark.parametrize(
    ("models", "says"),
    [
        ([MODEL, MODEL], "Illegal to list model a multiple times in config list"),
        ([MODEL.replace("/m/a", "m/a")], "Expected model a to have an absolute path or URI"),
        ([MODEL.replace('model_platform: "tensorflow"', "")], "neither ModelServerConfig::model_t"),
        ([f"{MODEL} model_type: TENSORFLOW"], "Illegal setting both ModelServerConfig::model_type"),
        ([MODEL.replace('"tensorflow"', '"onnx"')], "Unrecognized model platform onnx of model a"),
        ([f"{MODEL} model_version_policy {{ specific {{}} }}"], "policy needs versions"),
        (
            [f'{MODEL} logging_config {{ log_collector_config {{ type: "kafka" }} }}'],
            "Cannot find LogCollector::Factory for type: kafka",
        ),
        (['name: ""'], "Illegal model config"),
        ([MODEL, "nome: 3"], 'models.config:3: not a ModelServerConfig in text form: Message type'),
    ],
    ids=[
        "twice", "relative", "no platform", "two platforms", "other platform", "no versions",
        "collector", "empty", "typo",
    ],
)  # fmt: skip
def test_refused_configs(tmp_path: Path, models: list[str], says: str) -> None:
    with pytest.raises(BadConfig) as error:
        read(tmp_path, *models)
    assert says in str(error.value)
    assert "models.config" in str(error.value)


@pytest.mark.parametrize(
    ("label", "known", "unavailable_allowed", "fine"),
    [
        ({"stable": 1}, {}, False, True),
        ({"next": 9}, {}, False, False),
        ({"next": 9}, {}, True, True),
        ({"stable": 9}, {"stable": 1}, True, False),
        ({"stable": 2}, {"stable": 1}, True, True),
        ({"stable": 2}, {"stable": 1}, False, True),
    ],
    ids=[
        "of a version that is there", "of one that is not", "of one that is not, allowed",
        "moved to one that is not", "moved, allowed", "moved",
    ],
)  # fmt: skip
def test_labels(
    label: dict[str, int], known: dict[str, int], unavailable_allowed: bool, fine: bool
) -> None:
    wanted = [WantedModel("a", BasePath(Path("/m/a")), labels=label)]
    arguments = (wanted, {"a": [1, 2]}, {"a": known}, unavailable_allowed)
    if fine:
        assert relabelled(*arguments) == {"a": label}
        return
    with pytest.raises(ServingError, match="which is not currently available") as error:
        relabelled(*arguments)
    assert error.value.code is Code.FAILED_PRECONDITION
