"""`rawbert serve`: answers raw strings over gRPC and REST."""

import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click

if TYPE_CHECKING:
    from serving.server.main import RunningServer
    from serving.server.versions import BasePath

TF_SERVING = "tensorflow_model_server"
_ONLY_EMBEDDED = ("host",)


@click.command()
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--name", help="The model's name for clients.  [default: the base folder's name]")
@click.option("--host", default="127.0.0.1", show_default=True, help="0.0.0.0: all interfaces.")
@click.option("--port", default=8500, show_default=True, help="gRPC; 0 takes any free port.")
@click.option("--rest-port", default=8501, show_default=True, help="REST; 0 takes any free port.")
@click.option(
    "--engine",
    type=click.Choice(["auto", "embedded", "tensorflow"]),
    default="auto",
    show_default=True,
    help=f"auto: {TF_SERVING} if it is on PATH and has every flag given, else the embedded server.",
)
@click.pass_context
def serve(
    context: click.Context,
    path: Path,
    name: str | None,
    host: str,
    port: int,
    rest_port: int,
    engine: str,
) -> None:
    """Serve the model at PATH: a base path with numbered versions, or one version of it."""
    from serving.errors import NotAModel
    from serving.server.versions import open_base_path

    try:
        base_path = open_base_path(path)
    except NotAModel as error:
        _fail(str(error), 2)
    name = name or base_path.default_name
    reason = _needs_embedded(context, base_path)
    program = shutil.which(TF_SERVING)
    if engine == "tensorflow" and (program is None or reason):
        fix = reason or f"{TF_SERVING} is not on PATH. Install it, or use --engine embedded."
        _fail(f"--engine tensorflow: {fix}", 2)
    if program is not None and engine != "embedded" and not reason:
        _hand_over(program, base_path, name, port, rest_port)
    _serve_embedded(path, name, host, port, rest_port)


def _needs_embedded(context: click.Context, base_path: "BasePath") -> str:
    """Why only the embedded server can do what was asked; empty if both can."""
    default = click.core.ParameterSource.DEFAULT
    for flag in _ONLY_EMBEDDED:
        if context.get_parameter_source(flag) is not default:
            return f"{TF_SERVING} listens on all interfaces; only the embedded server has --{flag}."
    if 0 in (context.params["port"], context.params["rest_port"]):
        return f"{TF_SERVING} does not choose a free port; give --port and --rest-port numbers."
    if base_path.pinned_path is not None and base_path.pinned_path == base_path.path:
        return f"{base_path.path.name} is no version number, which {TF_SERVING} wants."
    return ""


def _hand_over(program: str, base_path: "BasePath", name: str, port: int, rest: int) -> NoReturn:
    click.echo(f"{TF_SERVING} on all interfaces: gRPC {port}, REST {rest}")
    _say_how(name, base_path.path, "127.0.0.1", rest)
    arguments = [program, f"--port={port}", f"--rest_api_port={rest}"]
    if base_path.pinned is None:
        arguments += [f"--model_name={name}", f"--model_base_path={base_path.path}"]
    else:
        arguments += [f"--model_config_file={_pinning_config(base_path, name)}"]
    sys.stdout.flush()
    os.execv(program, arguments)


def _pinning_config(base_path: "BasePath", name: str) -> str:
    """A model config file that pins the version: no flag of TF Serving's does."""
    with tempfile.NamedTemporaryFile("w", suffix=".config", delete=False) as file:
        file.write(
            f'model_config_list {{ config {{ name: "{name}" base_path: "{base_path.path}" '
            'model_platform: "tensorflow" '
            f"model_version_policy {{ specific {{ versions: {base_path.pinned} }} }} }} }}\n"
        )
    return file.name


def _serve_embedded(path: Path, name: str, host: str, port: int, rest_port: int) -> None:
    import logging

    from serving.errors import NotAModel
    from serving.quiet import quiet_tensorflow
    from serving.server.__main__ import told_to_stop
    from serving.server.main import start

    quiet_tensorflow()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    try:
        server = start(path, name=name, host=host, port=port, rest_port=rest_port, opened=_opened)
    except NotAModel as error:
        _fail(str(error), 2)
    except OSError as error:
        _fail(str(error), 1)
    except KeyboardInterrupt:
        _fail("stopped while loading", 1)
    told = told_to_stop()
    _say_ready(server, path)
    told.wait()
    server.stop()


def _opened(host: str, port: int, rest_port: int | None) -> None:
    click.echo(f"embedded server on {host}: gRPC {port}, REST {rest_port}")


def _say_ready(server: "RunningServer", path: Path) -> None:
    click.echo(f"version {server.version} of {server.name} is loaded")
    _say_how(server.name, path, server.target.rpartition(":")[0], server.rest_port)


def _say_how(name: str, path: Path, host: str, rest_port: int | None) -> None:
    click.echo(f"model {name}: {path}")
    url = f"http://{host}:{rest_port}/v1/models/{name}:predict"
    click.echo(f"""try   curl -d '{{"instances": ["A delight."]}}' {url}""")
    sys.stdout.flush()


def _fail(message: str, code: int) -> NoReturn:
    click.echo(f"error: {message}", err=True)
    sys.exit(code)
