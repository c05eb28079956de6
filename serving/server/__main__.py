"""The embedded server as a process of its own, for programs that want one.

    python -m serving.server PATH [--name N] [--host H] [--port 0] [--rest-port 0 | --no-rest]

When it answers, it prints one line of JSON on standard output:

    {"ready": true, "name": "reviews", "version": 3, "host": "127.0.0.1", "port": 41234,
     "rest_port": 41235, "pid": 4321}

and then serves until SIGTERM, SIGINT or, with --until-stdin-closes, the end of standard input (so
that it never outlives the program that started it). A failed start says why on standard error and
exits with 2 (no model that can be served) or 1 (port in use and other faults of the machine).
"""

import argparse
import json
import os
import signal
import sys
import threading

from serving.errors import NotAModel
from serving.quiet import quiet_tensorflow
from serving.server.main import RunningServer, start


def main(arguments: list[str] | None = None) -> int:
    """Serves until told to stop; returns the exit code."""
    options = _parser().parse_args(arguments)
    quiet_tensorflow()
    try:
        server = start(
            options.path,
            name=options.name,
            host=options.host,
            port=options.port,
            rest_port=None if options.no_rest else options.rest_port,
            poll_seconds=options.poll_seconds,
        )
    except NotAModel as error:
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


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m serving.server")
    parser.add_argument("path", help="base path with numbered versions, or one version")
    parser.add_argument("--name", help="the model's name (default: the base folder's)")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="gRPC; 0 takes any free port")
    parser.add_argument("--rest-port", type=int, default=0, help="0 takes any free port")
    parser.add_argument("--no-rest", action="store_true")
    parser.add_argument("--poll-seconds", type=float, default=1.0, help="0: no new versions")
    parser.add_argument("--until-stdin-closes", action="store_true")
    return parser


if __name__ == "__main__":
    sys.exit(main())
