"""A worker of the pool: Beam's own, whose memory does not follow how many rows there are.

    python -m pipeline.runners.pool_worker CONTROL WORKER

Beam has no option for either of what is set here.
"""

import functools
import sys

from apache_beam.runners.worker import data_plane, sdk_worker

# Beam keeps a task's objects for a minute in case it is asked for again. Flink asks for hundreds of
# tasks, for each once: memory would follow how many of them a minute sees.
IDLE_SECONDS = 10
# Beam sends rows when it has 10 MB of them, which a small part never has and a large one has over
# and over: as one message, held by the worker, gRPC and the engine at once. Java sends 1 MB.
MESSAGE_BYTES = 1 << 20


def spare_memory() -> None:
    """Sets both for this process."""
    sdk_worker.DEFAULT_BUNDLE_PROCESSOR_CACHE_SHUTDOWN_THRESHOLD_S = IDLE_SECONDS
    data_plane._DEFAULT_SIZE_FLUSH_THRESHOLD = MESSAGE_BYTES  # of what is sent together
    data_plane.SizeBasedBufferingClosableOutputStream = functools.partial(
        data_plane.SizeBasedBufferingClosableOutputStream, size_flush_threshold=MESSAGE_BYTES
    )


if __name__ == "__main__":
    spare_memory()
    sdk_worker.SdkHarness(sys.argv[1], worker_id=sys.argv[2]).run()
