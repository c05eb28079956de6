"""A pool of Beam workers outside the tests' process, and what an Examples artifact holds."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

# A worker is a thread of the pool: one import of TFX for all jobs. `--without NAME` forbids a
# package there, as if it were not installed.
POOL = """\
import sys, time
class Ban:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in sys.argv[1:]:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Ban())
from apache_beam.runners.worker.worker_pool_main import BeamFnExternalWorkerPoolServicer as Pool
address, server = Pool.start(use_process=False)
assert "tensorflow_text" not in sys.modules
print(address, flush=True)
sys.stdin.read()
"""


@contextmanager
def external_workers(folder: Path, *without: str) -> Iterator[list[str]]:
    """The arguments for Beam that make a job run in a fresh process; its output is in workers.log.

    Args:
        folder: that the process runs in.
        without: packages that it does not have.
    """
    with (folder / "workers.log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-c", POOL, *without], cwd=folder, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log,
        )  # fmt: skip
        try:
            assert process.stdout is not None
            address = process.stdout.readline().strip()
            yield [
                "--runner=PortableRunner", "--job_endpoint=embed", "--environment_type=EXTERNAL",
                f"--environment_config={address}",
            ]  # fmt: skip
        finally:
            process.kill()
            process.wait()


def features(folder: Path, split: str) -> list[dict[str, Any]]:
    """The rows of a split of an Examples artifact, in an order of their own."""
    import tensorflow as tf

    files = sorted(str(file) for file in (folder / f"Split-{split}").iterdir())
    records = tf.data.TFRecordDataset(files, "GZIP").as_numpy_iterator()
    rows = [tf.train.Example.FromString(record).features.feature for record in records]
    return sorted(
        ({name: str(value) for name, value in sorted(row.items())} for row in rows), key=str
    )
