"""`--beam-arg`: what is added without saying, and what is refused within seconds."""

import json
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from free_ports import free_addresses

from pipeline.runners import beam_options, pool_worker, worker_pool
from trainer.errors import BadInput

POOL = ["--environment_type=EXTERNAL"]
PORTABLE = ["--runner=PortableRunner"]
# A machine without Java is told so first; here no job server is started.
LAUNCHER = f"--job_server_java_launcher={sys.executable}"
FLINK = ["--runner=FlinkRunner", LAUNCHER]
SPARK = ["--runner=SparkRunner", LAUNCHER]


@pytest.mark.parametrize(
    "given",
    [[], ["--runner=DirectRunner"], ["--runner=direct"], ["--direct_num_workers=2"],
     ["--runner", "DirectRunner", "--direct_num_workers=2"]],
    ids=str,
)  # fmt: skip
def test_without_an_engine_the_work_is_done_in_this_process(given: list[str]) -> None:
    from apache_beam.options.pipeline_options import PipelineOptions

    found = PipelineOptions(beam_options.checked(given)).get_all_options()
    assert found["runner"] == beam_options.IN_PROCESS
    assert found["direct_num_workers"] == (2 if "--direct_num_workers=2" in given else 1)


@pytest.mark.parametrize(
    ("given", "ships"),
    [
        ([], False),
        ([*PORTABLE, *POOL], False),
        ([*PORTABLE, *POOL, "--setup_file=./setup.py"], True),
        (["--runner=DataflowRunner"], True),
    ],
    ids=str,
)
def test_tfx_packs_itself_where_workers_need_it(given: list[str], ships: bool) -> None:
    assert ("--sdk_container_image=none" in beam_options.checked(given)) != ships


[AWAY] = free_addresses(1)
REFUSED = {
    "no such runner": (["--runner=FlinkRuner"], "FlinkRunner"),
    "no such option": (["--direct_num_worker=2"], "--direct_num_workers"),
    "no number": (["--direct_num_workers=two"], "invalid int value"),
    "no Flink": ([*FLINK, f"--flink_master={AWAY}"], "does not answer"),
    "no Flink at a URL": ([*FLINK, f"--flink_master=http://{AWAY}"], "flink"),
    "no Spark": ([*SPARK, f"--spark_master_url=spark://{AWAY}"], "spark"),
    "no job server": ([*PORTABLE, f"--job_endpoint={AWAY}"], "does not answer"),
    "no pool": ([*PORTABLE, *POOL, f"--environment_config={AWAY}"], "pool of Python workers"),
    "no pool, as JSON": (
        [*PORTABLE, *POOL, f"--environment_config={json.dumps({'url': AWAY})}"], "pool of Python",
    ),
    "no JSON": ([*PORTABLE, *POOL, '--environment_config={"url": '], "no JSON"),
    "no jar": (["--runner=FlinkRunner", "--flink_job_server_jar=nowhere.jar"], "nowhere.jar"),
    "no Java": (
        ["--runner=FlinkRunner", "--job_server_java_launcher=no-java"], "no 'no-java'",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("given", "told"), REFUSED.values(), ids=REFUSED.keys())
def test_refused(given: list[str], told: str) -> None:
    with pytest.raises(BadInput, match="--beam-arg") as refused:
        beam_options.checked(given)
    assert told in str(refused.value)


def test_a_pool_that_only_the_engine_reaches_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    def far_away(address: tuple[str, int], *_: float) -> socket.socket:
        assert address == ("flink.example", 8081)
        return socket.socket()

    monkeypatch.setattr(socket, "create_connection", far_away)
    engine = [*FLINK, "--flink_master=flink.example:8081"]
    beam_options.checked([*engine, *POOL, "--environment_config=localhost:50000"])


@pytest.mark.parametrize(
    ("error", "told"),
    [("ModuleNotFoundError: No module named 'components.x' [while running 'A']", "components"),
     ("No module named 'components_of_theirs'", ""),
     ("ValueError: something else", "")],
    ids=["ours", "theirs", "other"],
)  # fmt: skip
def test_a_worker_without_the_package(error: str, told: str) -> None:
    expected = BadInput if told else RuntimeError
    with pytest.raises(expected, match=told or "."), beam_options.told_plainly():
        raise RuntimeError(error)


def test_what_is_missing_here_is_not_the_workers_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(beam_options, "_OURS", ("not_even_here",))
    assert beam_options.missing_package("No module named 'not_even_here'") == ""


def test_a_pool_whose_port_is_taken(tmp_path: Path) -> None:
    _, pool, server = worker_pool.start(0)
    server.stop(0)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        done = subprocess.run(
            [sys.executable, "-m", "pipeline.runners.worker_pool", "--port", port],
            cwd=tmp_path, capture_output=True, text=True, timeout=120,
        )  # fmt: skip
    assert done.returncode == 1
    assert f"port {port} is in use" in done.stderr
    assert not pool.workers


_SPARING = """
from apache_beam.runners.worker import data_plane, sdk_worker
from pipeline.runners import pool_worker
pool_worker.spare_memory()
cache = sdk_worker.BundleProcessorCache(None, None, None, {})
cache._schedule_periodic_shutdown()
print(cache.periodic_shutdown._interval)
cache.periodic_shutdown.cancel()
sent = []
stream = data_plane.ClosableOutputStream.create(None, sent.append, 0)
for _ in range(30):
    stream.write(bytes(100_000))
    stream.maybe_flush()
print(max(map(len, sent)))
"""


def test_beam_takes_what_a_worker_of_the_pool_spares() -> None:
    done = subprocess.run([sys.executable, "-c", _SPARING], capture_output=True, text=True)
    idle_seconds, longest_message = done.stdout.split()
    assert float(idle_seconds) == pool_worker.IDLE_SECONDS
    assert pool_worker.MESSAGE_BYTES < int(longest_message) < 1.2 * pool_worker.MESSAGE_BYTES
