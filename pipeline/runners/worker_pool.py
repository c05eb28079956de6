"""A pool of Beam workers on this machine: `python -m pipeline.runners.worker_pool --port 50000`.

What `--beam-arg=--environment_type=EXTERNAL --beam-arg=--environment_config=localhost:50000` asks
for. Beam's own pool listens on every interface and starts whatever `python` is on PATH; if that one
has no Beam the job waits for minutes and says nothing. Here workers are processes of this very
interpreter, which is seen to have all they need before anybody can ask for one, and the door is
127.0.0.1, since whoever reaches a pool runs code in it.
"""

import argparse
import importlib.util
import logging
import os
import signal
import socket
import subprocess
import sys
import threading
from concurrent import futures
from typing import Any

import grpc
from apache_beam.portability.api import beam_fn_api_pb2, beam_fn_api_pb2_grpc
from apache_beam.runners.worker.worker_pool_main import kill_process_gracefully

NEEDED = ("tensorflow_text", "tensorflow_transform", "tfx_bsl", "pipeline", "components", "trainer")
# For a process that works with many threads in turn: glibc's arena a thread is mostly holes.
FEW_ARENAS = {"MALLOC_ARENA_MAX": "2"}


class WorkerPool(beam_fn_api_pb2_grpc.BeamFnExternalWorkerPoolServicer):
    """Starts and stops worker processes as an engine asks.

    Attributes:
        workers: process by the worker's id.
    """

    def __init__(self) -> None:
        self.workers: dict[str, subprocess.Popen[bytes]] = {}

    def StartWorker(self, request: Any, context: Any) -> Any:  # noqa: N802 - gRPC's
        """Starts the worker of an id; it connects back to the engine by itself."""
        told = [request.control_endpoint.url, request.worker_id]
        self.workers[request.worker_id] = subprocess.Popen(
            [sys.executable, "-m", "pipeline.runners.pool_worker", *told],
            env={**FEW_ARENAS, **os.environ},
        )
        logging.info("worker %s is process %d", request.worker_id, self.pid(request.worker_id))
        return beam_fn_api_pb2.StartWorkerResponse()

    def StopWorker(self, request: Any, context: Any) -> Any:  # noqa: N802 - gRPC's
        """Ends it, if it is still there."""
        worker = self.workers.pop(request.worker_id, None)
        if worker:
            kill_process_gracefully(worker)
        return beam_fn_api_pb2.StopWorkerResponse()

    def pid(self, worker: str) -> int:
        """The process of a worker."""
        return self.workers[worker].pid

    def close(self) -> None:
        """Ends all workers."""
        for worker in list(self.workers.values()):
            kill_process_gracefully(worker)


def start(port: int) -> tuple[str, WorkerPool, grpc.Server]:
    """Opens a pool's door on 127.0.0.1; port 0 takes any free one. Gives its address.

    Raises:
        OSError: the port is in use.
    """
    with socket.socket() as probe:  # gRPC shares a port with whoever else shares it
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(("127.0.0.1", port))
    server = grpc.server(futures.ThreadPoolExecutor(8), options=[("grpc.so_reuseport", 0)])
    pool = WorkerPool()
    beam_fn_api_pb2_grpc.add_BeamFnExternalWorkerPoolServicer_to_server(pool, server)
    bound = server.add_insecure_port(f"127.0.0.1:{port}")
    server.start()
    return f"localhost:{bound}", pool, server


def main(arguments: list[str] | None = None) -> None:
    """Serves until it is told to end."""
    parser = argparse.ArgumentParser(
        description=__doc__, prog="python -m pipeline.runners.worker_pool"
    )
    parser.add_argument("--port", type=int, default=50000, help="0 takes any free one")
    port = parser.parse_args(arguments).port
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    for name in NEEDED:
        if importlib.util.find_spec(name) is None:
            sys.exit(f"error: {sys.executable} has no package {name}: install rawbert there")
    try:
        address, pool, server = start(port)
    except OSError as error:
        sys.exit(f"error: port {port} is in use ({error.strerror}): choose another with --port")
    print(f"workers of {sys.executable} at {address}", flush=True)
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    ended.wait()
    server.stop(0)
    pool.close()


if __name__ == "__main__":
    main()
