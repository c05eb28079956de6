"""What can go wrong in serving: canonical status codes, and the faults of a start."""

import enum


class Code(enum.IntEnum):
    """The canonical codes that gRPC, TensorFlow and TF Serving share, by the same numbers.

    Source: google/rpc/code.proto.
    """

    OK = 0
    CANCELLED = 1
    UNKNOWN = 2
    INVALID_ARGUMENT = 3
    DEADLINE_EXCEEDED = 4
    NOT_FOUND = 5
    ALREADY_EXISTS = 6
    PERMISSION_DENIED = 7
    RESOURCE_EXHAUSTED = 8
    FAILED_PRECONDITION = 9
    ABORTED = 10
    OUT_OF_RANGE = 11
    UNIMPLEMENTED = 12
    INTERNAL = 13
    UNAVAILABLE = 14
    DATA_LOSS = 15
    UNAUTHENTICATED = 16


class ServingError(Exception):
    """An answer other than OK; the server sends it, the client raises it."""

    def __init__(self, code: Code, message: str) -> None:
        self.code, self.message = code, message
        super().__init__(f"{code.name}: {message}")


def invalid(message: str) -> ServingError:
    """The request is wrong whatever the state of the server."""
    return ServingError(Code.INVALID_ARGUMENT, message)


class NotAModel(ValueError):
    """The path given to a server holds no model that can be served (exit code 2)."""

    def __init__(self, path: object, found: str, fix: str) -> None:
        self.path, self.found, self.fix = path, found, fix
        super().__init__(f"{path}: {found}. {fix}")


class BadConfig(ValueError):
    """A flag or a configuration file of the server is wrong (exit code 2)."""

    def __init__(self, where: str, found: str) -> None:
        self.where, self.found = where, found
        super().__init__(f"{where}: {found}")


class PortInUse(OSError):
    """Somebody else listens on the port (exit code 1)."""

    def __init__(self, host: str, port: int, flag: str) -> None:
        self.host, self.port = host, port
        super().__init__(
            f"port {port} on {host} is in use. Stop the program that holds it, "
            f"or choose another one with {flag} (0 takes any free port)."
        )


class Unreachable(ConnectionError):
    """No server answers at the address (exit code 1)."""

    def __init__(self, target: str, reason: str) -> None:
        self.target = target
        super().__init__(
            f"no server answers at {target} ({reason}). Start one with `rawbert serve PATH`, "
            "or name another with --server HOST:PORT."
        )
