"""Everything that the written files agree on, decided once.

Resources follow from the model's size S (all files, MiB) and the cores C of a replica:

- memory: 512 MiB + 2 S is asked for, 1 GiB + 4 S is the limit. While versions change, two are in
  memory, and each is read once more while it loads; the rest is TensorFlow and what a batch needs.
- cores: C are asked for, and TensorFlow's thread pools are told so, since in a container they would
  count the cores of the whole machine. No limit on cores: throttling costs more than it keeps. They
  are shared out to the batches that are computed at a time, by default one each: two batches at a
  time give more texts/s than two threads an op (benchmarks/results/serving_load_bert_base.md).
- start: 120 s and a second a MiB, warm-up requests included, before a start counts as failed.
"""

import math
import re
from dataclasses import dataclass
from pathlib import Path

from serving.batching_parameters import Batching
from serving.deploy import batching, images, saved_model
from serving.deploy.configs import BATCHING, FOLDER, MODELS, MONITORING
from serving.deploy.refusal import CannotDeploy
from serving.deploy.saved_model import PushedModel

GRPC_PORT, REST_PORT = 8500, 8501
PROGRAM = "/usr/bin/tensorflow_model_server"
USER = 10001
_MIB = 1 << 20


@dataclass(frozen=True)
class Deployment:
    """One model, one release, one size of replica.

    Attributes:
        model: the version that is deployed.
        name: what clients call it.
        release: TensorFlow Serving's, `"2.12.1"`.
        image: what the Dockerfile builds and the manifests run.
        cores: of a replica.
        batching: BatchingParameters.
    """

    model: PushedModel
    name: str
    release: str
    image: str
    cores: int
    batching: Batching

    @property
    def base_image(self) -> str:
        """TensorFlow Serving's own."""
        return images.image(self.release)

    @property
    def label(self) -> str:
        """The name as DNS has it (RFC 1035: letters first, at most 63), for Kubernetes."""
        plain = re.sub(r"[^a-z0-9]+", "-", self.name.lower()).strip("-")
        plain = plain if plain[:1].isalpha() else f"model-{plain}"
        return plain[:52].rstrip("-")  # 63 less the longest suffix of a Service's name

    @property
    def model_folder(self) -> str:
        """Where the version lies, in the written folder and under `/` of the container."""
        return f"models/{self.name}/{self.model.path.name if self._numbered else 1}"

    @property
    def _numbered(self) -> bool:
        return self.model.path.name.isdigit()

    @property
    def memory_request_mib(self) -> int:
        """Memory asked for, MiB, in steps of 64."""
        return _stepped(512 + 2 * self.model.size / _MIB)

    @property
    def memory_limit_mib(self) -> int:
        """Memory above which a replica is killed, MiB, in steps of 64."""
        return _stepped(1024 + 4 * self.model.size / _MIB)

    @property
    def start_seconds(self) -> int:
        """How long loading and warming up may take, in steps of 5 s."""
        return 5 * math.ceil((120 + self.model.size / _MIB) / 5)

    @property
    def threads_an_op(self) -> int:
        """Cores of each batch that is computed at a time."""
        return max(1, self.cores // self.batching.num_batch_threads)

    @property
    def ops_at_once(self) -> int:
        """Of a batch; below 0 its own thread runs all of them.

        TensorFlow would hand ops from thread to thread, which costs more than branches of an
        encoder gain where each op has one core.
        """
        return -1 if self.threads_an_op == 1 else self.cores

    def flags(self, extra: tuple[str, ...] = ()) -> list[str]:
        """tensorflow_model_server's, every one that matters said."""
        return [
            f"--port={GRPC_PORT}",
            f"--rest_api_port={REST_PORT}",
            f"--model_config_file={FOLDER}/{MODELS}",
            f"--monitoring_config_file={FOLDER}/{MONITORING}",
            "--enable_batching=true",
            f"--batching_parameters_file={FOLDER}/{BATCHING}",
            f"--tensorflow_intra_op_parallelism={self.threads_an_op}",
            f"--tensorflow_inter_op_parallelism={self.ops_at_once}",
            "--rest_api_timeout_in_ms=30000",
            "--file_system_poll_wait_seconds=5",
            "--max_num_load_retries=0",  # a model that does not load ends the process: seen at once
            *extra,
        ]


def plan(
    path: Path,
    tf_serving: str,
    name: str | None = None,
    image: str | None = None,
    cores: int = 2,
    measured: Path | None = None,
) -> Deployment:
    """Decides all of it.

    Args:
        path: a model's base path, or one version.
        tf_serving: a release, `"2.12"` or `"2.12.1"`.
        name: what clients call the model; None: the base path's name.
        image: what the built image is called; None: `NAME:VERSION`.
        cores: of a replica.
        measured: a benchmark's result with BatchingParameters.

    Raises:
        NotAModel: no model there.
        CannotDeploy: a name, release or parameter that cannot be, or an op that the release lacks.
    """
    model = saved_model.read(path)
    name = name or model.name
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]*", name):
        raise CannotDeploy(
            f'"{name}" is no name for a model', "Give --name of letters, digits, _, . and -."
        )
    release = images.release_of(tf_serving)
    saved_model.check_ops(model, release)
    splits = not model.varying
    chosen = batching.default(cores, splits)
    if measured is not None:
        chosen = batching.measured(measured, chosen, splits)
    called = image or f"{_image_name(name)}:{model.version}"
    return Deployment(model, name, release, called, cores, chosen)


def _image_name(name: str) -> str:
    """Letters of an image's name are small ones."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")


def _stepped(mib: float) -> int:
    return 64 * math.ceil(mib / 64)
