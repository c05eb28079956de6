"""The embedded server as a process of its own, for programs that want one.

    python -m serving.server PATH --port=0 --rest_api_port=0 [flags of tensorflow_model_server]

When it answers, it prints one line of JSON on standard output:

    {"ready": true, "name": "reviews", "version": 3, "host": "127.0.0.1", "port": 41234,
     "rest_port": 41235, "pid": 4321}

and then serves until SIGTERM, SIGINT or, with --until-stdin-closes, the end of standard input (so
that it never outlives the program that started it). A failed start says why on standard error and
exits with 2 (a wrong flag or file, no model that can be served) or 1 (port in use and other faults
of the machine).
"""

import json
import os
import signal
import sys
import threading
from importlib import metadata

from serving.arenas import an_arena_a_core
from serving.errors import BadConfig, NotAModel
from serving.lean_tensorflow import import_tensorflow
from serving.quiet import quiet_tensorflow
from serving.server.flags import note_those_without_effect, parse, parser
from serving.server.from_flags import settings_of
from serving.server.main import RunningServer, serve


def main(arguments: list[str] | None = None) -> int:
    """Serves until told to stop; returns the exit code."""
    program = parser("python -m serving.server")
    program.add_argument("--until-stdin-closes", action="store_true")
    try:
        options, given = parse(program, sys.argv[1:] if arguments is None else arguments)
        if options.version:
            print(versions())
            return 0
        note_those_without_effect(given)
        settings = settings_of(options)
        prepare_process()
        server = serve(settings)
    except (BadConfig, NotAModel) as error:
        print(error, file=sys.stderr)
        return 2
    except OSError as error:
        print(error, file=sys.stderr)
        return 1
    told = told_to_stop(stdin_closes=options.until_stdin_closes)
    print(json.dumps(_ready(server)), flush=True)
    told.wait()
    server.stop()
    return 0


def prepare_process() -> None:
    """What a process that serves does before it loads a model."""
    an_arena_a_core()
    quiet_tensorflow()
    import_tensorflow()


def versions() -> str:
    """What --version prints."""
    packages = ("rawbert", "tensorflow", "tensorflow-text", "tensorflow-serving-api", "grpcio")
    return "\n".join(f"{name} {metadata.version(name)}" for name in packages)


def told_to_stop(stdin_closes: bool = False) -> threading.Event:
    """An event set by SIGTERM, SIGINT or the end of standard input.

    Ask for it before saying that the server is ready: whoever reads that may signal at once.
    """
    told = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: told.set())
    if stdin_closes:
        threading.Thread(target=_at_end_of_stdin, args=(told,), daemon=True).start()
    return told


def _at_end_of_stdin(told: threading.Event) -> None:
    while os.read(sys.stdin.fileno(), 4096):
        pass
    told.set()


def _ready(server: RunningServer) -> dict[str, object]:
    return {
        "ready": True,
        "name": server.name,
        "version": server.version,
        "host": server.host,
        "port": server.port,
        "rest_port": server.rest_port,
        "pid": os.getpid(),
    }


if __name__ == "__main__":
    sys.exit(main())
