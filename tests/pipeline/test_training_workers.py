"""The Trainer on two workers: one of them exports, and nobody can tell that there were two."""

import io
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import training_worker
from free_ports import free_addresses
from rich.console import Console
from runs import Project

from trainer import progress, workers

pytestmark = pytest.mark.slow
NO_HANG_S = 600  # on a machine that is busy with everything else


def signatures(model: Path) -> dict[str, Any]:
    """Names, types and shapes of what each signature takes and gives, and its method."""
    from google.protobuf import json_format
    from tensorflow.core.protobuf import saved_model_pb2

    saved = saved_model_pb2.SavedModel.FromString((model / "saved_model.pb").read_bytes())
    told = json_format.MessageToDict(saved.meta_graphs[0])["signatureDef"]
    for signature in told.values():
        for tensors in (signature.get("inputs", {}), signature.get("outputs", {})):
            for tensor in tensors.values():
                del tensor["name"]  # of the graph's inside
    return told


@pytest.fixture(scope="module")
def out(pushed: Project, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What two workers left that trained on the project's transformed rows."""
    out, named = tmp_path_factory.mktemp("workers"), free_addresses(2)
    folders = {
        "examples": str(pushed.artifact("Transform", "transformed_examples")),
        "graph": str(pushed.artifact("Transform", "transform_graph")),
        "encoder": str(pushed.artifact("EncoderImporter", "model")),
    }
    recipe = str(pushed.folder / "recipe.yaml")
    command = [sys.executable, training_worker.__file__, recipe, json.dumps(folders), str(out)]
    started = []
    for index in range(2):
        cluster = {"chief": named[:1], "worker": named[1:]}  # as Vertex AI has it
        config = {"cluster": cluster, "task": {"type": ("chief", "worker")[index], "index": 0}}
        with (out / f"{index}.log").open("w") as log:
            environment = {**os.environ, "TF_CONFIG": json.dumps(config)}
            started.append(
                subprocess.Popen(
                    command, cwd=pushed.folder, stdout=log, stderr=log, env=environment
                )
            )
    try:
        codes = [worker.wait(NO_HANG_S) for worker in started]
    finally:
        for worker in started:
            worker.kill()
    assert codes == [0, 0], [(out / f"{index}.log").read_text()[-2000:] for index in range(2)]
    return out


def test_the_model_has_the_signatures_of_one_workers(pushed: Project, out: Path) -> None:
    assert signatures(out / "model" / "1") == signatures(pushed.model)
    written = (out / "model" / "1" / "saved_model.pb").read_bytes()
    assert b"job:worker" not in written and b"job:chief" not in written


def test_it_answers_without_the_others(out: Path) -> None:
    from serving.local import Local

    with Local(out / "model") as model:
        answer = model.predict_arrays(["A good film.", ""])
    assert set(answer["labels"][0].tolist()) == {b"fresh", b"rotten"}
    assert answer["scores"].sum(1) == pytest.approx([1, 1], abs=1e-5)


def test_one_writes(out: Path) -> None:
    left = {path.name.split(".")[0] for path in (out / "runs" / "1").iterdir()}
    assert left == {"history", "events"}
    assert len(list((out / "runs" / "1").glob("events*"))) == 1
    assert not list((out / "state").rglob("*"))


def test_whoever_waits_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    from pipeline.cli.progress_view import ProgressView

    task = {"cluster": {"worker": free_addresses(2)}, "task": {"type": "worker", "index": 0}}
    monkeypatch.setenv("TF_CONFIG", json.dumps(task))
    monkeypatch.setenv(workers.WAIT, "1")
    shown = io.StringIO()
    view = ProgressView(Path("log"), Console(file=shown))
    with progress.listening(view.training), pytest.raises(workers.WorkerLost):
        workers.strategy()
    assert "waiting for all 2 workers, 1 s at most" in shown.getvalue()
