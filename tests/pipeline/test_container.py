"""Artifacts of object stores under the folders where Kubeflow's launcher keeps them."""

import pytest

from pipeline.runners.container import local, remote, translated


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
