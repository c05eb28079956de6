"""Opening the doors: gRPC and REST ports, with errors that name the port."""

import asyncio
import errno
import socket
import threading
from concurrent import futures
from typing import Any

import grpc
import uvicorn

from serving.errors import PortInUse
from serving.server.http_connection import Connection

MAX_MESSAGE_BYTES = 64 << 20


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


def open_grpc(host: str, port: int, threads: int) -> tuple[grpc.Server, int]:
    """A gRPC server that holds its port but does not answer before it is started.

    Raises:
        PortInUse, OSError: as `bound_socket`.
    """
    # gRPC says only that it failed to bind, so a plain socket asks for the reason first; and
    # without so_reuseport=0 a second server would silently share the port of the first.
    bound_socket(host, port, "--port").close()
    server = grpc.server(
        futures.ThreadPoolExecutor(threads, thread_name_prefix="grpc"),
        options=[
            ("grpc.so_reuseport", 0),
            ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
            ("grpc.max_send_message_length", -1),
        ],
    )
    try:
        taken = server.add_insecure_port(address(host, port))
    except RuntimeError as error:
        raise PortInUse(host, port, "--port") from error
    if not taken:
        raise PortInUse(host, port, "--port")
    return server, taken


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
