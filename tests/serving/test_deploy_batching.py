"""Batching parameters: by default, from a benchmark's result, and what is refused."""

import json
from pathlib import Path
from typing import Any

import hand_made_model
import pytest

from serving import text_protos
from serving.batching_parameters import read_batching
from serving.deploy import batching, deployment
from serving.deploy.refusal import CannotDeploy

SHAPES = {
    "fixed widths": (hand_made_model.CLASSIFIER, True),
    "a width varies": (hand_made_model.TAGGER, False),
    "in another signature": (
        {**hand_made_model.CLASSIFIER, "tokenize": {"pieces": [-1, -1]}},
        False,
    ),
    "unknown rank": ({"serving_default": {"scores": None}}, False),
}


def proto(chosen: batching.Batching, folder: Path) -> Any:
    file = folder / "batching.config"
    file.write_text(chosen.text())
    return text_protos.read(file, text_protos.BatchingParameters())


@pytest.mark.parametrize(("signatures", "splits"), SHAPES.values(), ids=SHAPES)
def test_large_requests_are_split_where_no_width_varies(
    signatures: hand_made_model.Widths, splits: bool, tmp_path: Path
) -> None:
    hand_made_model.write(tmp_path / "m" / "1", signatures)
    planned = deployment.plan(tmp_path / "m", "2.12", cores=3)
    read = proto(planned.batching, tmp_path)
    assert read.enable_large_batch_splitting.value is splits
    assert read.max_batch_size.value == (1024 if splits else 32)
    assert read.max_execution_batch_size.value == (32 if splits else 0)
    assert read.num_batch_threads.value == 3
    assert list(read.allowed_batch_sizes) == []


@pytest.mark.parametrize(
    ("cores", "given", "threads", "at_once"),
    [(4, {}, 1, -1), (4, {"num_batch_threads": 1}, 4, 4), (5, {"num_batch_threads": 2}, 2, 5),
     (2, {"num_batch_threads": 8}, 1, -1)],
    ids=["a batch a core", "one batch at a time", "shared out", "more batches than cores"],
)  # fmt: skip
def test_cores_are_shared_out_to_batches(
    cores: int, given: dict[str, int], threads: int, at_once: int, tmp_path: Path
) -> None:
    hand_made_model.write(tmp_path / "m" / "1", hand_made_model.CLASSIFIER)
    (tmp_path / "measured.json").write_text(json.dumps(given))
    planned = deployment.plan(
        tmp_path / "m", "2.12", cores=cores, measured=tmp_path / "measured.json"
    )
    assert f"--tensorflow_intra_op_parallelism={threads}" in planned.flags()
    assert f"--tensorflow_inter_op_parallelism={at_once}" in planned.flags()


def test_the_embedded_server_reads_them(tmp_path: Path) -> None:
    file = tmp_path / "batching.config"
    file.write_text(batching.default(2, splits=False).text())
    read = read_batching(file)
    assert (read.max_batch_size, read.num_batch_threads) == (32, 2)
    assert not read.enable_large_batch_splitting


@pytest.mark.parametrize("nested", [False, True], ids=["object", "member batching"])
def test_measured_parameters(nested: bool, tmp_path: Path) -> None:
    found = {"max_batch_size": 16, "batch_timeout_micros": 0, "allowed_batch_sizes": [4, 16]}
    file = tmp_path / "result.json"
    file.write_text(json.dumps({"batching": found, "machine": "m"} if nested else found))
    read = proto(batching.measured(file, batching.default(2, False), splits=False), tmp_path)
    assert (read.max_batch_size.value, read.batch_timeout_micros.value) == (16, 0)
    assert read.HasField("batch_timeout_micros")
    assert list(read.allowed_batch_sizes) == [4, 16]
    assert read.max_enqueued_batches.value == 100


REFUSED = {
    "unknown key": ('{"max_batch": 8}', "unknown key max_batch"),
    "no JSON": ("max_batch_size: 8", "no JSON"),
    "no object": ("[8]", "no JSON object"),
    "no rows": ('{"max_batch_size": 0}', "max_batch_size is 0"),
    "a word": ('{"num_batch_threads": "4"}', "num_batch_threads is '4'"),
    "true": ('{"max_enqueued_batches": true}', "max_enqueued_batches is True"),
    "sizes that fall": ('{"allowed_batch_sizes": [32, 8]}', "do not rise"),
    "sizes of words": ('{"allowed_batch_sizes": "8"}', "do not rise"),
    "sizes that end early": ('{"allowed_batch_sizes": [8]}', "It must be 32"),
    "splitting": ('{"enable_large_batch_splitting": true}', "parts do not fit together"),
    "no splitting": ('{"max_execution_batch_size": 8}', "without splitting"),
}


@pytest.mark.parametrize(("text", "says"), REFUSED.values(), ids=REFUSED)
def test_results_that_cannot_be(text: str, says: str, tmp_path: Path) -> None:
    file = tmp_path / "result.json"
    file.write_text(text)
    with pytest.raises(CannotDeploy, match=says):
        batching.measured(file, batching.default(2, False), splits=False)
