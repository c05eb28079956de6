"""Opening the doors: gRPC and REST ports, with errors that name the port."""

import asyncio
import errno
import os
import socket
import stat
import threading
from collections.abc import Sequence
from concurrent import futures
from typing import Any

import grpc
import uvicorn

from serving.errors import PortInUse
from serving.server.http_connection import Connection
from serving.server.settings import Settings, Tls

MAX_MESSAGE_BYTES = 64 << 20
# Calls that wait for a thread; more are refused with RESOURCE_EXHAUSTED.
MAX_WAITING_RPCS = 1024


def address(host: str, port: int) -> str:
    """`host:port`, with the brackets that IPv6 wants."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def bound_socket(host: str, port: int, flag: str) -> socket.socket:
    """A TCP socket bound to the port, not yet listening; 0 takes any free port.

    Raises:
        PortInUse: somebody listens there.
        OSError: the host is not of this machine, or the port is not for this user.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((host, port))
        bound.listen(1024)
    except OSError as error:
        bound.close()
        if error.errno == errno.EADDRINUSE:
            raise PortInUse(host, port, flag) from error
        raise OSError(
            error.errno, f"cannot listen on {address(host, port)} ({flag}): {error.strerror}"
        ) from error
    return bound


def open_grpc(
    settings: Settings, interceptors: Sequence[grpc.ServerInterceptor] = ()
) -> tuple[grpc.Server, int]:
    """A gRPC server that holds its port and socket but does not answer before it is started.

    Raises:
        PortInUse, OSError: as `bound_socket`, or as `free_socket_path`.
    """
    # gRPC says only that it failed to bind, so a plain socket asks for the reason first; and
    # without so_reuseport=0 a second server would silently share the port of the first.
    bound_socket(settings.host, settings.port, "--port").close()
    server = grpc.server(
        futures.ThreadPoolExecutor(settings.threads, thread_name_prefix="grpc"),
        interceptors=list(interceptors),
        maximum_concurrent_rpcs=settings.threads + MAX_WAITING_RPCS,
        options=[
            ("grpc.so_reuseport", 0),
            ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
            ("grpc.max_send_message_length", -1),
            *settings.channel_arguments,
        ],
    )
    try:
        taken = _add_port(server, address(settings.host, settings.port), settings.tls)
    except RuntimeError as error:
        raise PortInUse(settings.host, settings.port, "--port") from error
    if not taken:
        raise PortInUse(settings.host, settings.port, "--port")
    if settings.socket_path:
        free_socket_path(settings.socket_path)
        _add_port(server, f"unix:{settings.socket_path}", settings.tls)
    return server, taken


def _add_port(server: grpc.Server, where: str, tls: Tls | None) -> int:
    if tls is None:
        return server.add_insecure_port(where)
    pair = (tls.key, tls.certificate)
    credentials = grpc.ssl_server_credentials([pair], tls.ca, tls.verify_clients)
    return server.add_secure_port(where, credentials)


def free_socket_path(path: str) -> None:
    """Removes a Unix socket that nobody listens on any more: a killed server leaves its own.

    Raises:
        FileExistsError: somebody listens there, or the path is no socket.
    """
    if not os.path.lexists(path):
        return
    if not stat.S_ISSOCK(os.lstat(path).st_mode):
        raise FileExistsError(errno.EEXIST, f"--grpc_socket_path {path} is a file, not a socket")
    with socket.socket(socket.AF_UNIX) as asking:
        try:
            asking.connect(path)
        except ConnectionRefusedError:
            os.unlink(path)
            return
    raise FileExistsError(
        errno.EEXIST, f"another server listens on {path}: stop it, or give another path"
    )


class RestServer:
    """uvicorn on a thread of its own, answering on a socket that is already bound."""

    def __init__(self, app: Any, listening: socket.socket, grace_seconds: float) -> None:
        config = uvicorn.Config(
            app,
            http=Connection,
            log_config=None,
            log_level="warning",
            access_log=False,
            lifespan="off",
            timeout_graceful_shutdown=max(1, round(grace_seconds)),
        )
        self._server = uvicorn.Server(config)
        self._started = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(listening,), name="rest")
        self._thread.daemon = True
        self._thread.start()
        self._started.wait()

    def _run(self, listening: socket.socket) -> None:
        asyncio.run(self._serve(listening))

    async def _serve(self, listening: socket.socket) -> None:
        serving = asyncio.create_task(self._server.serve(sockets=[listening]))
        while not self._server.started and not serving.done():
            await asyncio.sleep(0.005)
        self._started.set()
        await serving

    def stop(self) -> None:
        """Takes no new request and waits for those under way."""
        self._server.should_exit = True
        self._thread.join()
