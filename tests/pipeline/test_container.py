"""TFX's entry point as ours starts it: artifacts of object stores, Examples read file by file."""

import json
from pathlib import Path
from typing import Any

import apache_beam as beam
import pytest
from tfx.dsl.components.base import base_beam_executor

from pipeline.runners.container import local, main, remote, translated


@pytest.mark.parametrize(
    ("uri", "folder"),
    [
        ("minio://mlpipeline/v2/a", "/minio/mlpipeline/v2/a"),
        ("s3://bucket/a", "/s3/bucket/a"),
        ("gs://bucket/a", "gs://bucket/a"),
        ("/mnt/a", "/mnt/a"),
    ],
)
def test_there_and_back(uri: str, folder: str) -> None:
    assert local(uri) == folder
    assert remote(folder) == uri


def test_uris_of_artifacts_alone_are_translated() -> None:
    told = {
        "inputs": {"parameterValues": {"path": "s3://bucket/data"}},
        "outputs": {"artifacts": {"model": {"artifacts": [{"uri": "s3://bucket/model"}]}}},
        "outputFile": "/tmp/kfp_outputs/output_metadata.json",
    }
    got = translated(told, local)
    assert got["outputs"]["artifacts"]["model"]["artifacts"] == [{"uri": "/s3/bucket/model"}]
    assert got["inputs"] == told["inputs"]
    assert translated(got, remote) == told


class Reading(base_beam_executor.BaseBeamExecutor):
    """Writes how a step's Beam would read its Examples."""

    def Do(self, _: Any, __: Any, exec_properties: dict[str, Any]) -> None:  # noqa: N802 - TFX's
        pipeline = self._make_beam_pipeline()
        _ = pipeline | beam.io.ReadFromTFRecord("examples*")
        Path(exec_properties["told"]).write_text(str(pipeline.to_runner_api()))


def test_a_step_deals_its_files_out_to_its_workers(tmp_path: Path) -> None:
    told = {
        "inputs": {"parameters": {"told": {"stringValue": str(tmp_path / "composed")}}},
        "outputs": {"outputFile": str(tmp_path / "output.json")},
    }
    arguments = [f"--executor_class_path={__name__}.{Reading.__name__}"]
    with pytest.raises(SystemExit):
        main(["container", *arguments, "--json_serialized_invocation_args", json.dumps(told)])
    assert "Reshuffle" in (tmp_path / "composed").read_text()
