"""Ports of this machine that nobody listens on now; another process may be quicker to take one."""

import contextlib
import socket


def free_ports(number: int) -> list[int]:
    """So many different ones."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(number)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


def free_addresses(number: int) -> list[str]:
    """The same as ``host:port``."""
    return [f"127.0.0.1:{port}" for port in free_ports(number)]
