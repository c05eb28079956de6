"""`hf:` through the real huggingface_hub, against the hub's endpoints on this machine."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import local_hub
import pytest
import tiny_encoder

FILES = tiny_encoder.files()
REPOSITORIES = {
    "org/tiny": FILES | {"onnx/model.onnx": b"big", "pytorch_model.bin": b"big"},
    "org/torch": {"config.json": FILES["config.json"], "pytorch_model.bin": b"big"},
    "org/data": {"rows.csv": b"text"},
    "org/roberta": FILES | {"config.json": b'{"model_type": "roberta"}'},
    "gated/tiny": FILES,
}
Resolve = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def asked() -> list[str]:
    return []


@pytest.fixture
def resolve(tmp_path: Path, asked: list[str]) -> Iterator[Resolve]:
    """Resolves in a process of its own, since the library reads HF_ENDPOINT when imported."""
    with local_hub.serving(REPOSITORIES, asked) as endpoint:
        hub = {"HF_ENDPOINT": endpoint, "HF_HOME": str(tmp_path / "hf"), "HF_HUB_DISABLE_XET": "1"}
        base = {name: value for name, value in os.environ.items() if name != "RAWBERT_CACHE"} | hub

        def run(source: str, **environment: str) -> subprocess.CompletedProcess[str]:
            code = (
                "from components.sources import resolve\n"
                f"try: print(resolve({source!r}))\n"
                "except Exception as e: print(type(e).__name__, e)"
            )
            return subprocess.run(
                [sys.executable, "-c", code],
                env=base | environment,
                capture_output=True,
                text=True,
                check=True,
            )

        yield run


@pytest.mark.parametrize(
    "source", ["hf:org/tiny", "hf:org/tiny@main", f"hf:org/tiny@{local_hub.COMMIT}"]
)
def test_brings_the_files_that_we_read_and_no_others(
    resolve: Resolve, asked: list[str], tmp_path: Path, source: str
) -> None:
    folder = Path(resolve(source).stdout.strip())
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == FILES
    assert str(folder).startswith(str(tmp_path / "hf"))
    assert not [path for path in asked if "onnx" in path or "pytorch" in path]


def test_is_found_in_the_cache_without_a_network(resolve: Resolve, tmp_path: Path) -> None:
    cache = {"RAWBERT_CACHE": str(tmp_path / "ours")}
    first = resolve("hf:org/tiny", **cache).stdout
    assert str(tmp_path / "ours") in first
    assert resolve("hf:org/tiny", HF_ENDPOINT="http://127.0.0.1:9", **cache).stdout == first
    assert resolve("hf:org/tiny", HF_HUB_OFFLINE="1", **cache).stdout == first


@pytest.mark.parametrize(
    ("source", "environment", "said"),
    [
        ("hf:org/none", {}, ["BadInput hf:org/none", "no such repository", "HF_TOKEN"]),
        ("hf:org/tiny@v9", {}, ["BadInput hf:org/tiny@v9", "no revision v9", "leave @"]),
        ("hf:gated/tiny", {}, ["BadInput hf:gated/tiny", "by request", "HF_TOKEN"]),
        ("hf:a/b/c", {}, ["BadInput hf:a/b/c", "hf:ORG/NAME"]),
        ("hf:org/torch", {}, ["BadInput", "lacks model.safetensors", "save_pretrained"]),
        ("hf:org/data", {}, ["BadInput", "none of an encoder's files"]),
        ("hf:org/roberta", {}, ["BadInput", 'model_type "roberta"', '"bert"']),
        ("hf:org/tiny", {"HF_ENDPOINT": "http://127.0.0.1:9"}, ["Unreachable hf:org/tiny", "HF_E"]),
        ("hf:org/tiny", {"HF_HUB_OFFLINE": "1"}, ["Unreachable hf:org/tiny", "HF_HUB_OFFLINE"]),
        ("hf:org/tiny", {"RAWBERT_CACHE": "/dev/null/x"}, ["CacheUnusable /dev/null/x"]),
    ],
    ids=["no repository", "no revision", "gated", "no name", "PyTorch weights only", "no encoder",
         "another family", "no network", "offline", "unwritable cache"],
)  # fmt: skip
def test_what_goes_wrong_is_said_with_the_fix(
    resolve: Resolve, source: str, environment: dict[str, str], said: list[str]
) -> None:
    answer = resolve(source, **environment).stdout
    assert not [part for part in said if part not in answer], answer
