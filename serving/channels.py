"""The way to a server: plain or TLS, over TCP or a Unix socket."""

import contextlib
import os
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc

from serving.errors import Unreachable

_OPTIONS = [
    ("grpc.max_receive_message_length", -1),
    ("grpc.max_send_message_length", -1),
    # A client that waits for a server to come up should not wait for gRPC's two-minute backoff.
    ("grpc.max_reconnect_backoff_ms", 1000),
]
_UNIX = "unix:"


@dataclass(frozen=True)
class Tls:
    """Files in PEM form; `Tls()` trusts the authorities that gRPC ships with.

    Attributes:
        root: the authority that signed the server's certificate.
        key, certificate: the client's own, for servers that ask for it; both or neither.
        server_name: the name in the server's certificate, where it is not that of the target.
    """

    root: str | Path | None = None
    key: str | Path | None = None
    certificate: str | Path | None = None
    server_name: str | None = None

    def __post_init__(self) -> None:
        if (self.key is None) != (self.certificate is None):
            raise ValueError("a client's key and its certificate come together; one is missing")

    def credentials(self) -> grpc.ChannelCredentials:
        """Reads the files.

        Raises:
            OSError: one of them cannot be read.
        """
        return grpc.ssl_channel_credentials(
            _content(self.root), _content(self.key), _content(self.certificate)
        )


def open_channel(kind: Any, target: str, tls: Tls | None) -> Any:
    """A channel of `kind`, which is `grpc` or `grpc.aio`; it connects when it is first used.

    Args:
        target: `HOST:PORT`, `unix:/path` or another name that gRPC resolves.
        tls: None is plain text.
    """
    if tls is None:
        return kind.insecure_channel(target, options=_OPTIONS)
    named = [("grpc.ssl_target_name_override", tls.server_name)] if tls.server_name else []
    return kind.secure_channel(target, tls.credentials(), options=[*_OPTIONS, *named])


def probe(target: str, seconds: float = 5.0) -> None:
    """Whether anything listens at the address, known at once.

    Raises:
        Unreachable: nothing does, or the address is none.
    """
    try:
        with contextlib.closing(_connected(target, seconds)):
            pass
    except ValueError:
        raise Unreachable(target, "not of the form HOST:PORT or unix:/path") from None
    except OSError as error:
        raise Unreachable(target, (error.strerror or str(error)).lower()) from error


def _connected(target: str, seconds: float) -> socket.socket:
    if not target.startswith(_UNIX):
        host, _, port = target.rpartition(":")
        return socket.create_connection((host.strip("[]"), int(port)), seconds)
    connected = socket.socket(socket.AF_UNIX)
    try:
        connected.settimeout(seconds)
        connected.connect(_socket_path(target))
    except OSError:
        connected.close()
        raise
    return connected


def _socket_path(target: str) -> str:
    """The path of `unix:/path` or `unix:///path`, the two forms that gRPC knows."""
    path = target.removeprefix(_UNIX)
    return "/" + path.lstrip("/") if path.startswith("//") else os.path.abspath(path)


def _content(path: str | Path | None) -> bytes | None:
    return None if path is None else Path(path).read_bytes()
