"""The tiny project on a real Flink cluster with two Python workers, one of which dies on the way.

Flink's jars are 150 MB, brought by `make flink`; `make flink-test` runs this, `make test` does not.
"""

import json
import os
import re
import shutil
import signal
import socket
import threading
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from beam_workers import features
from free_ports import free_ports
from runs import Project, examples_in, rawbert

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        "RAWBERT_FLINK" not in os.environ,
        reason="a quarter of an hour on two cores: `make flink-test` runs it",
    ),
]


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    from pipeline.runners.flink import jars
    from pipeline.runners.flink.cluster import Cluster

    if not jars.are_there() or not shutil.which("java"):
        pytest.skip("no Java, or no Flink jars: `make flink` brings them (150 MB)")
    rest, rpc, pool = free_ports(3)
    folder = tmp_path_factory.mktemp("flink")
    running = Cluster(folder, rest=rest, rpc=rpc, jobs=free_run(3), pool=pool)
    running.start()
    yield running
    running.stop()


def free_run(length: int) -> int:
    """The first of some free ports in a row."""
    while True:
        [first] = free_ports(1)
        try:
            for port in range(first, first + length):
                with socket.socket() as probe:
                    probe.bind(("127.0.0.1", port))
        except OSError:
            continue
        return first


class Killer(threading.Thread):
    """Kills a Python worker when a quarter of Transform's tasks are done."""

    def __init__(self, project: Path, cluster: Any) -> None:
        super().__init__(daemon=True)
        self._begun = project / "out" / "tiny" / "artifacts" / "Transform"
        self._cluster, self.killed = cluster, 0

    def run(self) -> None:
        while not self._begun.exists():
            time.sleep(0.2)
        while not self._is_amid_a_job(self._begun.stat().st_mtime):
            time.sleep(0.2)
        log = (self._cluster.folder / "workers.log").read_text()
        newest = int(re.findall(r"is process (\d+)", log)[-1])
        os.kill(newest, signal.SIGKILL)
        self.killed = newest

    def _is_amid_a_job(self, since: float) -> bool:
        url = f"http://127.0.0.1:{self._cluster.rest}/jobs/overview"
        with urllib.request.urlopen(url, timeout=60) as answer:
            jobs = json.load(answer)["jobs"]
        return any(
            job["state"] == "RUNNING"
            and job["start-time"] > 1000 * since
            and 4 * job["tasks"]["finished"] >= job["tasks"]["total"]
            for job in jobs
        )


@pytest.fixture(scope="module")
def on_flink(
    cluster: Any, tiny_project: Any, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Project, Killer]:
    """The project after a run on the cluster in which a worker was killed."""
    folder = tmp_path_factory.mktemp("on-flink")
    tiny_project(folder)
    killer = Killer(folder, cluster)
    killer.start()
    arguments = [f"--beam-arg={argument}" for argument in cluster.beam_args]
    ran = rawbert(folder, "run", "recipe.yaml", *arguments)
    assert ran.code == 0, ran.said
    return Project(folder, ran), killer


def test_a_worker_was_killed_and_the_run_ended_right(on_flink: tuple[Project, Killer]) -> None:
    project, killer = on_flink
    assert killer.killed
    assert set(project.first.states().values()) == {"done"}


@pytest.mark.parametrize("split", ["train", "eval", "test"])
@pytest.mark.parametrize(
    ("component", "key"),
    [("TextExampleGen", "examples"), ("Transform", "transformed_examples")],
    ids=["read", "transformed"],
)
def test_the_same_rows(
    on_flink: tuple[Project, Killer], pushed: Project, component: str, key: str, split: str
) -> None:
    rows = features(on_flink[0].artifact(component, key), split)
    assert rows
    assert rows == features(pushed.artifact(component, key), split)


@pytest.mark.parametrize("split", ["train", "eval", "test"])
def test_the_same_statistics(on_flink: tuple[Project, Killer], pushed: Project, split: str) -> None:
    def counts(project: Project) -> dict[str, Any]:
        from tensorflow_metadata.proto.v0 import statistics_pb2

        file = (
            project.artifact("StatisticsGen", "statistics") / f"Split-{split}" / "FeatureStats.pb"
        )
        found = statistics_pb2.DatasetFeatureStatisticsList.FromString(file.read_bytes())
        [dataset] = found.datasets
        return {"rows": dataset.num_examples} | {
            feature.path.step[0]: (
                feature.string_stats.unique,
                feature.string_stats.common_stats.num_non_missing,
                round(feature.string_stats.avg_length, 3),
                sorted((top.value, top.frequency) for top in feature.string_stats.top_values),
            )
            for feature in dataset.features
        }

    assert counts(on_flink[0]) == counts(pushed)


def test_the_same_judgement(on_flink: tuple[Project, Killer], tmp_path: Path) -> None:
    """Of the model that was trained there, by the Evaluator there and by one here."""
    from judging import judge

    from pipeline import outcome
    from pipeline.evaluation import eval_config
    from pipeline.recipe import load

    project, _ = on_flink
    recipe, _ = load(project.folder / "recipe.yaml", ())
    rows = examples_in(project.artifact("TextExampleGen", "examples"), "test")
    here = judge(tmp_path, eval_config(recipe.gate, recipe.data.label), rows, project.model)
    there = outcome.read(project.first.components)
    assert there.blessed and here.blessed
    assert {one.slice: one.value for one in there.slices} == pytest.approx(here.value, abs=1e-6)


def test_bulk_inference(on_flink: tuple[Project, Killer], cluster: Any, tmp_path: Path) -> None:
    from pipeline.bulk.run import predict_bulk

    project, _ = on_flink
    source = project.folder / "data" / "reviews.csv"
    there, here = (
        predict_bulk(source, tmp_path / name, project.model, shard_rows=50, beam_args=arguments)
        for name, arguments in (("there.csv", cluster.beam_args), ("here.csv", []))
    )
    assert there.rows == here.rows == 400
    assert (tmp_path / "there.csv").read_text() == (tmp_path / "here.csv").read_text()
