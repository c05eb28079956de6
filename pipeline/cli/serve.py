"""`rawbert serve`: answers raw strings over gRPC and REST, with tensorflow_model_server's flags."""

import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from pipeline.cli.fault import fail

if TYPE_CHECKING:
    import argparse

    from serving.server.main import RunningServer
    from serving.server.settings import Settings

TF_SERVING = "tensorflow_model_server"
_ENGINES = ("auto", "embedded", "tensorflow")


@click.command(
    add_help_option=False,
    context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False},
    short_help="Serve a model, or several, over gRPC and REST.",
)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def serve(arguments: tuple[str, ...]) -> None:
    """Serve the model at PATH: a base path with numbered versions, or one version of it."""
    from serving.errors import BadConfig, NotAModel
    from serving.server.flags import note_those_without_effect, parse
    from serving.server.from_flags import settings_of

    try:
        options, given = parse(_parser(), arguments)
        if options.version:
            from serving.server.__main__ import versions

            click.echo(versions())
            return
        settings = settings_of(options)
    except (BadConfig, NotAModel) as error:
        fail(str(error), 2)
    reason = _needs_embedded(given, settings)
    program = shutil.which(TF_SERVING)
    if options.engine == "tensorflow" and (program is None or reason):
        fix = reason or f"{TF_SERVING} is not on PATH. Install it, or use --engine embedded."
        fail(f"--engine tensorflow: {fix}", 2)
    if program is not None and options.engine != "embedded" and not reason:
        _hand_over(program, options, given, settings)
    note_those_without_effect(given)
    _serve_embedded(settings)


def _parser() -> "argparse.ArgumentParser":
    from serving.server.flags import parser

    found = parser("rawbert serve")
    found.add_argument(
        "--engine",
        choices=_ENGINES,
        default="auto",
        help=f"auto: {TF_SERVING} if it is on PATH and can do all that is asked, else embedded",
    )
    return found


def _needs_embedded(given: set[str], settings: "Settings") -> str:
    """Why only the embedded server can do what was asked; empty if both can."""
    if settings.demo:
        return f"{TF_SERVING} has no demo page; only the embedded server has --demo."
    if "host" in given:
        return f"{TF_SERVING} listens on all interfaces; only the embedded server has --host."
    if 0 in (settings.port, settings.rest_port):
        return f"{TF_SERVING} does not choose a free port; give --port and --rest-port numbers."
    for wanted in settings.models:
        pinned = wanted.base_path.pinned_path
        if pinned is not None and pinned == wanted.base_path.path:
            return f"{pinned.name} is no version number, which {TF_SERVING} wants."
    return ""


def _hand_over(program: str, options: Any, given: set[str], settings: "Settings") -> NoReturn:
    rest = settings.rest_port or 0
    click.echo(f"{TF_SERVING} on all interfaces: gRPC {settings.port}, REST {rest}")
    _say_how(settings, "127.0.0.1", settings.rest_port)
    own = {"host", "port", "rest_api_port", "model_name", "model_base_path"}
    flags = {name: getattr(options, name) for name in sorted(given - own)}
    arguments = [program, f"--port={settings.port}", f"--rest_api_port={rest}"]
    if not options.model_config_file:
        arguments += _model_flags(settings)
    arguments += [f"--{name}={_spelled(value)}" for name, value in flags.items()]
    sys.stdout.flush()
    os.execv(program, arguments)


def _model_flags(settings: "Settings") -> list[str]:
    (wanted,) = settings.models
    base = wanted.base_path
    if base.pinned is None:
        return [f"--model_name={wanted.name}", f"--model_base_path={base.path}"]
    return [f"--model_config_file={_pinning_config(wanted.name, base.path, base.pinned)}"]


def _spelled(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _pinning_config(name: str, path: Path, version: int) -> str:
    """A model config file that pins the version: no flag of TF Serving's does."""
    from google.protobuf import text_format

    from serving.text_protos import one_model

    config = one_model(name, str(path), version)
    with tempfile.NamedTemporaryFile("w", suffix=".config", delete=False) as file:
        file.write(text_format.MessageToString(config, as_one_line=True) + "\n")
    return file.name


def _serve_embedded(settings: "Settings") -> None:
    import logging

    from serving.errors import BadConfig, NotAModel
    from serving.server import main
    from serving.server.__main__ import prepare_process, told_to_stop

    prepare_process()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    try:
        server = main.serve(settings, opened=_opened)
    except (BadConfig, NotAModel) as error:
        fail(str(error), 2)
    except OSError as error:
        fail(str(error), 1)
    except KeyboardInterrupt:
        fail("stopped while loading", 1)
    told = told_to_stop()
    _say_ready(server, settings)
    told.wait()
    click.echo("stopping: requests under way are finished first")
    server.stop()


def _opened(host: str, port: int, rest_port: int | None) -> None:
    click.echo(f"embedded server on {host}: gRPC {port}, REST {rest_port or 'off'}")


def _say_ready(server: "RunningServer", settings: "Settings") -> None:
    for wanted in settings.models:
        version = server.models.version_of(wanted.name)
        click.echo(f"version {version} of {wanted.name} is loaded")
    if server.demo_url:
        click.echo(f"demo  {server.demo_url}")
    _say_how(settings, server.target.rpartition(":")[0], server.rest_port)


def _say_how(settings: "Settings", host: str, rest_port: int | None) -> None:
    for wanted in settings.models:
        base = wanted.base_path
        click.echo(f"model {wanted.name}: {base.pinned_path or base.path}")
    if settings.models and rest_port:
        url = f"http://{host}:{rest_port}/v1/models/{settings.models[0].name}:predict"
        click.echo(f"""try   curl -d '{{"instances": ["A delight."]}}' {url}""")
    sys.stdout.flush()
