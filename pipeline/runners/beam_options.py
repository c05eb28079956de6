"""`--beam-arg`: checked before anything starts, and what goes without saying added.

Without an engine the work is done in this process. Beam's own default, the switching DirectRunner,
first tries to download Prism, a Go program, and runs there if it can: another engine on every
machine. TFX packs itself anew for every component that is given arguments; where workers have an
environment of their own, nothing has to be shipped and nothing is packed.
"""

import difflib
import importlib.util
import json
import os
import re
import shutil
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NoReturn
from urllib.parse import urlsplit

from apache_beam.options import pipeline_options as options

from trainer.errors import BadInput

IN_PROCESS = "apache_beam.runners.portability.fn_api_runner.fn_runner.FnApiRunner"
_NOTHING_TO_SHIP = "--sdk_container_image=none"  # what TFX takes for "it has a package already"
_SHIPS = (
    "extra_packages", "setup_file", "requirements_file", "worker_harness_container_image",
    "sdk_container_image",
)  # fmt: skip
_OWN_ENVIRONMENT = ("EXTERNAL", "LOOPBACK", "PROCESS")
_SECONDS = 3.0
# What a worker of ours cannot do without; TensorFlow Text has ops that graphs only name.
_OURS = ("pipeline", "components", "trainer", "serving", "tensorflow_text", "tensorflow_transform",
         "tensorflow", "tfx_bsl", "tfx")  # fmt: skip


class _Parser(options._BeamArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise BadInput(message, where="--beam-arg", fix="See the options of the Beam runner.")


def checked(arguments: Sequence[str]) -> list[str]:
    """The arguments for Beam, runner and all.

    Raises:
        BadInput: an unknown runner or option; a jar or a launcher that is not there; an engine or
            a worker pool that does not answer within three seconds.
    """
    given, unknown = _parsed(list(arguments))
    runner = (given["runner"] or "DirectRunner").rsplit(".", 1)[-1].lower().removesuffix("runner")
    known = {name.lower().removesuffix("runner") for name in _runners()} | {"fnapi"}
    if "." not in (given["runner"] or "") and runner not in known:
        raise BadInput(
            f"there is no Beam runner {given['runner']!r}",
            where="--beam-arg=--runner",
            fix=f"{_nearest(given['runner'], _runners())}Known: {', '.join(sorted(_runners()))}.",
        )
    if runner in ("direct", "fnapi"):
        _refuse_unknown(unknown)
        # The last one of an option counts.
        return [*arguments, f"--runner={IN_PROCESS}", *_shipping(given, "LOOPBACK")]
    _check_engine(runner, given)
    return [*arguments, *_shipping(given, given["environment_type"])]


def _parsed(arguments: list[str]) -> tuple[dict[str, Any], list[str]]:
    parser = _Parser(allow_abbrev=False)
    for kind in dict.fromkeys(options.PipelineOptions.__subclasses__()):
        if kind.__module__ == options.__name__:
            kind._add_argparse_args(parser)
    found, unknown = parser.parse_known_args(arguments)
    return vars(found), unknown


def _runners() -> list[str]:
    return list(options.StandardOptions.KNOWN_RUNNER_NAMES)


def _refuse_unknown(unknown: list[str]) -> None:
    # A job server may know options that Python does not; in this process there is none.
    if not unknown:
        return
    parser = _Parser(allow_abbrev=False)
    for kind in options.PipelineOptions.__subclasses__():
        kind._add_argparse_args(parser)
    names = [name for action in parser._actions for name in action.option_strings]
    raise BadInput(
        f"Beam has no option {unknown[0]!r}",
        where="--beam-arg",
        fix=_nearest(unknown[0].partition("=")[0], names) or "Write it as --beam-arg=--name=value.",
    )


def _nearest(name: str, names: Sequence[str]) -> str:
    near = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    return f"Did you mean {near[0]}? " if near else ""


def _shipping(given: dict[str, Any], environment: str | None) -> list[str]:
    if any(given.get(name) for name in _SHIPS) or environment not in _OWN_ENVIRONMENT:
        return []
    return [_NOTHING_TO_SHIP]


def _check_engine(runner: str, given: dict[str, Any]) -> None:
    engine = ""
    if runner == "flink":
        engine = given["flink_master"]
        _check_jar("flink_job_server_jar", given)
    elif runner == "spark":
        engine = given["spark_master_url"]
        _check_jar("spark_job_server_jar", given)
    elif runner == "portable":
        engine = given["job_endpoint"] or ""
    address = _address(engine)
    if address:
        _reach(address, f"the {runner} engine")
    # A pool that an engine far away reaches need not be reached from here.
    if given["environment_type"] == "EXTERNAL" and (not address or _is_here(address[0])):
        pool = _address(_pool_of(given["environment_config"] or ""))
        if pool:
            _reach(pool, "the pool of Python workers")


def _pool_of(config: str) -> str:
    if not config.startswith("{"):
        return config
    try:
        return str(json.loads(config).get("url", ""))
    except json.JSONDecodeError as error:
        raise BadInput(
            f"no JSON ({error})",
            where="--beam-arg=--environment_config",
            fix='Write HOST:PORT, or {"url": "HOST:PORT"}.',
        ) from error


def _address(url: str) -> tuple[str, int] | None:
    """Host and port; None of "[auto]", "local[4]", "embed" and the like."""
    try:
        parts = urlsplit(url if "//" in url else f"//{url}")
        return (parts.hostname, parts.port) if parts.hostname and parts.port else None
    except ValueError:
        return None


def _is_here(host: str) -> bool:
    return host in ("localhost", "::1") or host.startswith("127.")


def _reach(address: tuple[str, int], what: str) -> None:
    try:
        socket.create_connection(address, _SECONDS).close()
    except OSError as error:
        raise BadInput(
            f"{what} does not answer at {address[0]}:{address[1]} ({error.strerror or error})",
            where="--beam-arg",
            fix="Start it, or name another address.",
        ) from error


def _check_jar(name: str, given: dict[str, Any]) -> None:
    jar = given[name]
    if jar and "://" not in jar and not os.path.exists(jar):
        raise BadInput(f"there is no {jar}", where=f"--beam-arg=--{name}")
    launcher = given["job_server_java_launcher"]
    if not shutil.which(launcher):
        raise BadInput(
            f"the job server needs Java, and there is no {launcher!r}",
            where="--beam-arg",
            fix="Install a Java runtime, or name one with --beam-arg=--job_server_java_launcher=….",
        )


@contextmanager
def told_plainly() -> Iterator[None]:
    """A worker without this package, told as what it is.

    Raises:
        BadInput: instead of a remote traceback.
    """
    try:
        yield
    except Exception as error:
        missing = missing_package(str(error))
        if missing:
            raise BadInput(
                f"a Beam worker has no package {missing!r}",
                where="--beam-arg",
                fix="Install rawbert in the workers' environment, or ship it: "
                "--beam-arg=--setup_file=./setup.py.",
            ) from error
        raise


def missing_package(message: str) -> str:
    """The package of ours that a worker's error says it does not have; empty if it is another.

    Empty, too, if this process has none either: then it is not the workers' environment.
    """
    for name in _OURS:
        said = re.search(rf"No module named '{name}['.]", message)
        if said and importlib.util.find_spec(name):
            return name
    return ""
