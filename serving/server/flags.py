"""The server's command line: tensorflow_model_server's flags by their names, and a few of ours."""

import argparse
import difflib
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

from serving.errors import BadConfig
from serving.server.flag_table import BY_NAME, FLAGS, Effect, Flag

_TRUE, _FALSE = ("true", "1", "t", "yes"), ("false", "0", "f", "no")
_ALIASES = {alias: flag.name for flag in FLAGS for alias in flag.aliases}


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise BadConfig("command line", message)


def parser(program: str) -> argparse.ArgumentParser:
    """Takes PATH, our own flags and all of TF Serving's."""
    found = _Parser(
        prog=program,
        usage=f"{program} [PATH] [--flag=value ...]",
        allow_abbrev=False,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Serve SavedModels over gRPC and REST as TF Serving does, with its flags.",
    )
    found.add_argument(
        "path", nargs="?", help="base path with numbered versions, or one version, then pinned"
    )
    found.add_argument(
        "--host", default=argparse.SUPPRESS, help="default 127.0.0.1; 0.0.0.0: all interfaces"
    )
    found.add_argument("--no-rest", action="store_true", help="no REST door")
    found.add_argument("--demo", action="store_true", help="a page for browsers on the REST port")
    groups: dict[Effect, Any] = {
        effect: found.add_argument_group(effect.value)
        for effect in Effect
        if effect is not Effect.REFUSED
    }
    groups[Effect.REFUSED] = found  # known, so that the answer can say why, but not offered
    for flag in FLAGS:
        groups[flag.effect].add_argument(
            f"--{flag.name}",
            *(f"--{alias}" for alias in flag.aliases),
            dest=flag.name,
            type=_boolean if flag.type is bool else flag.type,
            default=argparse.SUPPRESS,
            metavar=flag.type.__name__.upper(),
            help=argparse.SUPPRESS if flag.effect is Effect.REFUSED else flag.says,
        )
    return found


def parse(program: argparse.ArgumentParser, arguments: Sequence[str]) -> tuple[Any, set[str]]:
    """The options with every flag's value, and the names of those that were given.

    Raises:
        BadConfig: an unknown flag (with the nearest one), a wrong value, or a flag that is refused.
    """
    options, unknown = program.parse_known_args(_spelled(arguments))
    if unknown:
        raise BadConfig(unknown[0], _unknown(unknown[0]))
    given = {name for name in ("host", *BY_NAME) if hasattr(options, name)}
    for name in given & set(BY_NAME):
        if BY_NAME[name].effect is Effect.REFUSED and getattr(options, name):
            raise BadConfig(f"--{name}", f"not supported: {BY_NAME[name].says}")
    options.host = getattr(options, "host", "127.0.0.1")
    for flag in FLAGS:
        setattr(options, flag.name, getattr(options, flag.name, flag.default))
    return options, given


def note_those_without_effect(given: set[str]) -> None:
    """Says a line on standard error for each given flag that changes nothing here."""
    for flag in FLAGS:
        if flag.name in given and flag.effect is Effect.NOTED:
            print(f"--{flag.name} has no effect: {flag.says}", file=sys.stderr)


def _spelled(arguments: Sequence[str]) -> list[str]:
    """A bare boolean flag means true; argparse would take the next argument for its value."""
    return [f"{one}=true" if _is_bare_boolean(one) else one for one in arguments]


def _is_bare_boolean(argument: str) -> bool:
    flag: Flag | None = BY_NAME.get(argument.removeprefix("--"))
    return argument.startswith("--") and flag is not None and flag.type is bool


def _boolean(value: str) -> bool:
    if value.lower() in (*_TRUE, *_FALSE):
        return value.lower() in _TRUE
    raise argparse.ArgumentTypeError(f"{value!r} is neither true nor false")


def _unknown(argument: str) -> str:
    if not argument.startswith("-"):
        return "one PATH is enough"
    name = argument.lstrip("-").split("=")[0]
    known = ["host", "no-rest", "demo", "engine", *BY_NAME, *_ALIASES]
    near = difflib.get_close_matches(name, known, 1)
    return f"no such flag; did you mean --{near[0]}?" if near else "no such flag; see --help"
