"""tensorflow_model_server's flags: obeyed, noted or refused, never ignored silently."""

from pathlib import Path
from typing import Any

import pytest

from serving.batching_parameters import Batching
from serving.errors import BadConfig, NotAModel
from serving.server.flag_table import FLAGS, Effect
from serving.server.flags import note_those_without_effect, parse, parser
from serving.server.from_flags import settings_of
from serving.server.settings import Settings

PEM = "-----BEGIN X-----"


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    """A base path that looks whole, and configuration files by name."""
    (tmp_path / "reviews" / "3").mkdir(parents=True)
    (tmp_path / "reviews" / "3" / "saved_model.pb").write_bytes(b"")
    texts = {
        "batching": "max_batch_size { value: 32 } batch_timeout_micros { value: 500 }",
        "split": "enable_large_batch_splitting { value: true } allowed_batch_sizes: [8, 1000]",
        "padding": "pad_variable_length_inputs: true",
        "sizes": "max_batch_size { value: 8 } allowed_batch_sizes: [4, 2]",
        "no batch": "max_batch_size { value: 0 }",
        "typo": "max_batch_size { value: 32 }\nbatch_timeout: 5\n",
        "metrics": 'prometheus_config { enable: true path: "/metrics" }',
        "default metrics": "prometheus_config { enable: true }",
        "no metrics": "prometheus_config { enable: false }",
        "bad metrics": 'prometheus_config { enable: true path: "metrics" }',
        "ssl": f'server_key: "{PEM}" server_cert: "{PEM}"',
        "ssl no key": f'server_cert: "{PEM}"',
        "ssl no ca": f'server_key: "{PEM}" server_cert: "{PEM}" client_verify: true',
        "models": f"""model_config_list {{ config {{
            name: "a" base_path: "{tmp_path / "reviews"}" model_platform: "tensorflow" }} }}""",
    }
    for name, text in texts.items():
        (tmp_path / name).write_text(text)
    return {name: tmp_path / name for name in (*texts, "reviews")}


def settings(files: dict[str, Path], line: str) -> Settings:
    """Settings of a command line in which {name} is a file."""
    arguments = [part.format(**{k: str(v) for k, v in files.items()}) for part in line.split("|")]
    options, _ = parse(parser("serve"), arguments)
    return settings_of(options)


@pytest.mark.parametrize(
    ("line", "field", "value"),
    [
        ("{reviews}", "port", 8500),
        ("{reviews}", "rest_port", 8501),
        ("{reviews}", "host", "127.0.0.1"),
        ("{reviews}", "metrics_path", None),
        ("{reviews}", "demo", False),
        ("{reviews}|--demo", "demo", True),
        ("{reviews}|--host=0.0.0.0", "host", "0.0.0.0"),
        ("--port=1|--rest-port|2|{reviews}", "rest_port", 2),
        ("{reviews}|--no-rest", "rest_port", None),
        ("{reviews}|--grpc_max_threads=7", "threads", 7),
        ("{reviews}|--rest_api_num_threads=9", "rest_threads", 9),
        ("{reviews}|--rest_api_timeout_in_ms=500", "rest_timeout_seconds", 0.5),
        ("{reviews}|--rest_api_enable_cors_support", "rest_origins", ("*",)),
        ("{reviews}|--rest_api_enable_cors_support=false", "rest_origins", ()),
        ("{reviews}|--grpc_socket_path=/tmp/x", "socket_path", "/tmp/x"),
        ("{reviews}|--file_system_poll_wait_seconds=5", "poll_seconds", 5),
        (
            "{reviews}|--grpc_channel_arguments=grpc.max_connection_age_ms=2000,a=b",
            "channel_arguments",
            (("grpc.max_connection_age_ms", 2000), ("a", "b")),
        ),
        ("{reviews}|--monitoring_config_file={metrics}", "metrics_path", "/metrics"),
        (
            "{reviews}|--monitoring_config_file={default metrics}",
            "metrics_path",
            "/monitoring/prometheus/metrics",
        ),
        ("{reviews}|--monitoring_config_file={no metrics}", "metrics_path", None),
        ("--model_config_file={models}|--model_name=ignored", "config_poll_seconds", 0),
    ],
)
def test_a_flag_and_what_it_sets(
    files: dict[str, Path], line: str, field: str, value: object
) -> None:
    assert getattr(settings(files, line), field) == value


@pytest.mark.parametrize(
    ("line", "field", "value"),
    [
        ("{reviews}", "batching", None),
        ("{reviews}|--enable_batching", "batching", Batching()),
        ("--enable_batching|{reviews}", "batching", Batching()),
        ("{reviews}|--enable_batching=false", "batching", None),
        (
            "{reviews}|--enable_batching=true|--batching_parameters_file={batching}",
            "batching",
            Batching(max_batch_size=32, batch_timeout_micros=500),
        ),
        (
            "{reviews}|--enable_batching|--batching_parameters_file={split}",
            "batching",
            Batching(enable_large_batch_splitting=True, allowed_batch_sizes=(8, 1000)),
        ),
        ("{reviews}|--saved_model_tags=serve,gpu", "tags", ("serve", "gpu")),
        ("{reviews}|--enable_model_warmup=false", "warm_iterations", 0),
        ("{reviews}|--num_request_iterations_for_warmup=3", "warm_iterations", 3),
        ("{reviews}|--tensorflow_session_parallelism=2", "intra_op_threads", 2),
        ("{reviews}|--tensorflow_inter_op_parallelism=2", "inter_op_threads", 2),
    ],
)
def test_a_flag_and_how_versions_are_loaded(
    files: dict[str, Path], line: str, field: str, value: object
) -> None:
    assert getattr(settings(files, line).loading, field) == value


@pytest.mark.parametrize(
    ("line", "names"),
    [
        ("{reviews}", ["reviews"]),
        ("{reviews}|--name=films", ["films"]),
        ("--model_base_path={reviews}", ["default"]),
        ("--model_base_path={reviews}|--model_name=films", ["films"]),
        ("--model_config_file={models}", ["a"]),
    ],
)
def test_the_model_s_name(files: dict[str, Path], line: str, names: list[str]) -> None:
    assert [model.name for model in settings(files, line).models] == names


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("", "no model: give PATH"),
        ("{reviews}|--model_base_path={reviews}", "--model_base_path: PATH was given, too"),
        ("{reviews}|{reviews}", "one PATH is enough"),
        ("{reviews}|--model_nam=x", "--model_nam=x: no such flag; did you mean --model_name?"),
        ("{reviews}|--demo|--no-rest", "--demo: the page asks over REST: leave --no-rest out"),
        ("{reviews}|--port=many", "invalid int value: 'many'"),
        ("{reviews}|--enable_batching=perhaps", "'perhaps' is neither true nor false"),
        ("{reviews}|--use_alts_credentials", "--use_alts_credentials: not supported: give --ssl"),
        ("{reviews}|--prefer_tflite_model=true", "not supported: no TensorFlow Lite"),
        ("{reviews}|--batching_parameters_file={batching}", "is set without --enable_batching"),
        (
            "{reviews}|--enable_batching|--batching_parameters_file={typo}",
            'typo:2: not a BatchingParameters in text form: Message type "rawbert',
        ),
        (
            "{reviews}|--enable_batching|--batching_parameters_file={padding}",
            "pad_variable_length_inputs is not supported",
        ),
        (
            "{reviews}|--enable_batching|--batching_parameters_file={sizes}",
            "allowed_batch_sizes do not rise",
        ),
        (
            "{reviews}|--enable_batching|--batching_parameters_file={no batch}",
            "max_batch_size is 0. Give a whole number, at least 1.",
        ),
        ("{reviews}|--monitoring_config_file={bad metrics}", "must begin with a slash"),
        ("{reviews}|--monitoring_config_file=/no/such", "cannot be read: No such file"),
        ("{reviews}|--ssl_config_file={ssl no key}", "server_key and server_cert must hold PEM"),
        ("{reviews}|--ssl_config_file={ssl no ca}", "client_verify needs custom_ca"),
        ("{reviews}|--grpc_channel_arguments=a", "'a' is not of the form name=value"),
        (
            "{reviews}|--tensorflow_session_parallelism=2|--tensorflow_intra_op_parallelism=1",
            "does not go with",
        ),
    ],
)
def test_what_is_wrong_is_named(files: dict[str, Path], line: str, says: str) -> None:
    with pytest.raises(BadConfig) as error:
        settings(files, line)
    assert says in str(error.value)


def test_no_model_there(tmp_path: Path) -> None:
    with pytest.raises(NotAModel, match="does not exist"):
        settings({"no": tmp_path / "no"}, "--model_base_path={no}")


@pytest.mark.parametrize("flag", FLAGS, ids=lambda flag: flag.name)
def test_every_flag_of_theirs_has_one_clear_end(
    flag: Any, files: dict[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    value = {bool: "true", int: "3", float: "0.5", str: "x"}[flag.type]
    arguments = [str(files["reviews"]), f"--{flag.name}={value}"]
    if flag.effect is Effect.REFUSED:
        with pytest.raises(BadConfig, match=f"--{flag.name}: not supported: "):
            parse(parser("serve"), arguments)
        return
    options, given = parse(parser("serve"), arguments)
    assert getattr(options, flag.name) == {"true": True, "3": 3, "0.5": 0.5}.get(value, value)
    note_those_without_effect(given)
    noted = capsys.readouterr().err.count(f"--{flag.name} has no effect: ")
    assert noted == (flag.effect is Effect.NOTED)
