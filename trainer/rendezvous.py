"""Waits until all workers are there, before TensorFlow does.

TensorFlow waits for a worker that never comes without an end and deaf to signals. So every worker
listens at its own address until it has reached all the others once; whoever it reached listens
there still, or TensorFlow does by then.
"""

import contextlib
import socket
import time
from collections.abc import Sequence
from urllib.parse import urlsplit

_AGAIN_S = 0.2
_ATTEMPT_S = 2.0


class Absent(OSError):
    """Not all workers came in time."""


def wait_for(addresses: Sequence[str], mine: str, seconds: float) -> None:
    """Returns when every address answers.

    Args:
        addresses: ``host:port`` of all workers.
        mine: this one's; somebody else may not listen there yet.
        seconds: how long to wait.

    Raises:
        Absent: which worker did not come.
        OSError: the own port is taken.
    """
    port = _split(mine)[1]
    missing = [address for address in addresses if address != mine]
    until = time.monotonic() + seconds
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(_listening(port))
        except OSError as error:
            raise OSError(f"port {port} of this worker, {mine}, cannot be had: {error}") from error
        while missing := [address for address in missing if not _answers(address)]:
            if time.monotonic() > until:
                raise Absent(f"no worker came to {', '.join(missing)} in {seconds:.0f} s")
            time.sleep(_AGAIN_S)


def _listening(port: int) -> socket.socket:
    if socket.has_dualstack_ipv6():
        with contextlib.suppress(OSError):  # IPv6 may be switched off
            return socket.create_server(("", port), family=socket.AF_INET6, dualstack_ipv6=True)
    return socket.create_server(("", port))


def _answers(address: str) -> bool:
    try:
        socket.create_connection(_split(address), _ATTEMPT_S).close()
    except OSError:
        return False
    return True


def _split(address: str) -> tuple[str, int]:
    parts = urlsplit(f"//{address}")
    if not parts.hostname or not parts.port:
        raise ValueError(f"{address!r} is no host:port")
    return parts.hostname, parts.port
