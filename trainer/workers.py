"""Several workers that train one model: who they are, who writes, and what if one is lost.

`TF_CONFIG` names them, as Vertex AI and Kubeflow's training operator set it
(tensorflow.org/guide/distributed_training). All workers read the same files and hold the same
weights; the chief alone writes. A worker that is lost ends the others with a `WorkerLost`: whoever
runs the job starts all of them again, and they go on after the last epoch that was whole.
"""

import json
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import tensorflow as tf

from trainer import progress, rendezvous
from trainer.errors import BadInput

WAIT = "RAWBERT_WORKERS_WAIT"  # seconds until all workers must be there
_WAIT_S = 600.0  # the machines of a job do not start at once
_SILENT_S = 30.0  # a worker that says nothing for so long is lost
_TRAINS = ("chief", "worker")
_TASK = re.compile(r"/job:(\w+)/replica:\d+/task:(\d+)")
# What TensorFlow raises when a worker does not answer, went away or came back as another process.
_LOST = (
    tf.errors.UnavailableError,
    tf.errors.AbortedError,
    tf.errors.CancelledError,
    tf.errors.DeadlineExceededError,
    tf.errors.FailedPreconditionError,
    tf.errors.InternalError,
)


class WorkerLost(OSError):
    """Another worker does not answer; nothing is wrong with what was given."""

    def __init__(self, why: str) -> None:
        super().__init__(
            f"another worker is lost or did not come: {why}."
            " Start all workers again: training goes on after the last whole epoch."
        )


@dataclass(frozen=True)
class _Place:
    """This process among the workers: ``addresses`` by kind, and which one it is."""

    addresses: Mapping[str, list[str]]
    kind: str
    index: int

    @property
    def workers(self) -> list[str]:
        return [address for kind in _TRAINS for address in self.addresses.get(kind, ())]

    def silent(self, told: str) -> list[str]:
        """The others that TensorFlow has had no heartbeat of, by what it tells."""
        tasks = {(kind, int(index)) for kind, index in _TASK.findall(told)}
        if "heartbeat" not in told:
            return []
        return sorted(
            f"{kind} {index}, {self.addresses[kind][index]}"
            for kind, index in tasks - {(self.kind, self.index)}
            if index < len(self.addresses.get(kind, ()))
        )


def strategy() -> tf.distribute.Strategy:
    """Several workers by TF_CONFIG, several GPUs if there are, else one replica.

    With several workers this waits until all of them are there, $RAWBERT_WORKERS_WAIT seconds at
    most (600); TensorFlow may not have computed anything before.

    Raises:
        BadInput: a TF_CONFIG that names no place for this process.
        WorkerLost: not all of them came.
    """
    place = _place()
    if place and len(place.workers) > 1:
        _wait_for_others(place)
        _watch_each_other(place)
        with told_plainly():
            return tf.distribute.MultiWorkerMirroredStrategy()
    if len(tf.config.list_logical_devices("GPU")) > 1:
        return tf.distribute.MirroredStrategy()
    return tf.distribute.get_strategy()


def is_chief() -> bool:
    """Whether this process writes what is to be kept; so does one that is alone."""
    place = _place()
    if place is None or place.kind == "chief":
        return True
    return place.index == 0 and not place.addresses.get("chief")


def check_alike(strategy: tf.distribute.Strategy, **numbers: int) -> None:
    """Compares what all replicas must have alike before they train; the same order everywhere.

    Raises:
        BadInput: they differ, so they do not read the same files.
    """
    if strategy.num_replicas_in_sync == 1:
        return
    mine = tf.constant([list(numbers.values())], tf.int64)  # [1, numbers]
    everyone = _everyone(strategy, mine)  # [replicas, numbers]
    for name, of_each in zip(numbers, everyone.numpy().T.tolist(), strict=True):
        if len(set(of_each)) > 1:
            raise BadInput(
                f"the workers differ in {name.replace('_', ' ')}: {of_each}.",
                where="TF_CONFIG",
                fix="Give all of them the same folders, on storage that they share.",
            )


def meet(strategy: tf.distribute.Strategy) -> None:
    """Returns when all workers have come here.

    Raises:
        WorkerLost: one will not.
    """
    with told_plainly():
        _everyone(strategy, tf.zeros([1, 1], tf.int64))


@contextmanager
def told_plainly() -> Iterator[None]:
    """Turns TensorFlow's errors about other workers into one line.

    Raises:
        WorkerLost: instead of them.
    """
    try:
        yield
    except _LOST as error:
        place = _place()
        if place is None or len(place.workers) == 1:
            raise
        raise WorkerLost(_why(error, place)) from error


def _everyone(strategy: tf.distribute.Strategy, mine: tf.Tensor) -> tf.Tensor:
    """All replicas' rows, [1, n] each ▶ [replicas, n]."""

    def gathered() -> tf.Tensor:
        return tf.distribute.get_replica_context().all_gather(mine, axis=0)

    on_replicas = tf.function(lambda: strategy.run(gathered))()
    return strategy.experimental_local_results(on_replicas)[0]


def _place() -> _Place | None:
    given = os.environ.get("TF_CONFIG")
    if not given:
        return None
    try:
        config = json.loads(given)
        addresses, task = config.get("cluster") or {}, config.get("task") or {}
        place = _Place(addresses, task.get("type", "worker"), int(task.get("index", 0)))
        known = not addresses or 0 <= place.index < len(addresses.get(place.kind, ()))
    except (ValueError, AttributeError, TypeError) as error:
        raise _bad_config(given, str(error)) from error
    if not known or place.kind not in _TRAINS:
        raise _bad_config(given, f"it has no {place.kind} {place.index}")
    return place


def _why(error: tf.errors.OpError, place: _Place) -> str:
    """Who is silent, as far as TensorFlow's heartbeats tell; else the telling line of its error."""
    lines = [line.strip() for line in error.message.splitlines() if line.strip()]
    telling = [line for line in lines if "aborted by" in line] or lines or [repr(error)]
    silent = place.silent(error.message)
    if not silent and "Deadline Exceeded" in telling[0]:  # of a heartbeat to who counts them
        silent = [f"{place.workers[0]}, the first"]
    if silent:
        return f"nothing is heard of {', '.join(silent)}; stopped or overloaded"
    return telling[0][:300].rstrip(".")


def _bad_config(given: str, why: str) -> BadInput:
    return BadInput(
        f"{given[:200]} names no worker that trains ({why}).",
        where="TF_CONFIG",
        fix='Write {"cluster": {"worker": ["host:port", …]}, "task": {"type": "worker",'
        ' "index": 0}} with each worker\'s own index.',
    )


def _wait_for_others(place: _Place) -> None:
    seconds = float(os.environ.get(WAIT, _WAIT_S))
    progress.publish("waiting", workers=len(place.workers), seconds=seconds)
    mine = place.addresses[place.kind][place.index]
    try:
        rendezvous.wait_for(place.workers, mine, seconds)
    except rendezvous.Absent as error:
        raise WorkerLost(str(error)) from error
    except ValueError as error:
        raise _bad_config(os.environ["TF_CONFIG"], str(error)) from error


def _watch_each_other(place: _Place) -> None:
    """Bounds how long a silent worker is waited for, and the end of one's neighbours.

    There is no public way. Where TensorFlow's internals are others, its own bounds hold.
    """
    try:
        from tensorflow.python.distribute import multi_worker_util
        from tensorflow.python.eager import context
        from tensorflow.python.training import server_lib

        jobs = [
            context.coordination_config_pb2.CoordinatedJob(name=kind, num_tasks=len(addresses))
            for kind in _TRAINS
            if (addresses := place.addresses.get(kind))
        ]
        leader = multi_worker_util.coordination_leader(server_lib.ClusterSpec(place.addresses))
        context.context().configure_coordination_service(
            service_type="standalone",
            service_leader=leader,
            cluster_register_timeout_in_ms=int(1000 * _SILENT_S),
            heartbeat_timeout_in_ms=int(1000 * _SILENT_S),
            shutdown_barrier_timeout_in_ms=int(1000 * _SILENT_S),
            coordinated_jobs=jobs,
        )
    except (ImportError, AttributeError, TypeError):
        return
