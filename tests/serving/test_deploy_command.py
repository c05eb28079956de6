"""rawbert deploy as its user meets it: what it says, what it writes, what it refuses."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import hand_made_model
import pytest
from click.testing import CliRunner, Result

from pipeline.cli.deploy import deploy

CHECKED_FOR = {"tf_serving": "2.12"}
Deploy = Callable[..., Result]


@pytest.fixture
def base(tmp_path: Path) -> Path:
    """A base path with versions 1 and 2 of a tagger whose card names its release."""
    for version in ("1", "2"):
        hand_made_model.write(
            tmp_path / "reviews" / version, hand_made_model.TAGGER, card=CHECKED_FOR
        )
    return tmp_path / "reviews"


@pytest.fixture
def to(tmp_path: Path) -> Path:
    return tmp_path / "deployed"


@pytest.fixture
def ask(to: Path) -> Deploy:
    def ask(path: Path, *options: str) -> Result:
        return CliRunner().invoke(deploy, [str(path), "--to", str(to), *options])

    return ask


def files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_it_writes_everything_and_says_what_comes_next(base: Path, to: Path, ask: Deploy) -> None:
    result = ask(base)
    assert result.exit_code == 0, result.output
    assert "image    reviews:2, on tensorflow/serving:2.12.1" in result.output
    assert f"docker build -t reviews:2 {to}" in result.output
    assert "serving_default.tags varies in width" in result.output
    manifests = ("configmap", "deployment", "service")
    manifests += ("horizontalpodautoscaler", "poddisruptionbudget")
    assert files(to) == {
        ".dockerignore", ".rawbert-deploy.json", "Dockerfile", "README.md", "compose.yaml",
        "models.config", "batching.config", "monitoring.config",
        *(f"kubernetes/{kind}.yaml" for kind in manifests),
        *(f"models/reviews/2/{name}" for name in files(base / "2")),
    }  # fmt: skip


def test_tensorflow_is_not_run(base: Path, to: Path) -> None:
    code = "import sys\nfrom pipeline.cli.deploy import deploy\n"
    code += f"deploy([{str(base)!r}, '--to', {str(to)!r}], standalone_mode=False)\n"
    code += "assert 'tensorflow' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.DEVNULL)


def blessed(run: Path, number: int, release: str, good: bool = True) -> None:
    folder = run / "artifacts" / "ServingValidator" / "blessing" / str(number)
    folder.mkdir(parents=True)
    (folder / "report.json").write_text(json.dumps({"blessed": good, "tf_serving": release}))


@pytest.mark.parametrize("given", ["run", "base path", "version"])
def test_a_run_knows_what_its_model_was_checked_for(
    given: str, tmp_path: Path, ask: Deploy
) -> None:
    run = tmp_path / "out" / "reviews"
    version = hand_made_model.write(run / "serving" / "stars" / "17")
    blessed(run, 4, "2.16")
    blessed(run, 9, "2.20", good=False)
    path = {"run": run, "base path": version.parent, "version": version}[given]
    result = ask(path)
    assert "image    stars:17, on tensorflow/serving:2.16.1" in result.output


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--name", "Big_One"], "image    big-one:2,"),
        (["--image", "registry.example/r:7"], "image    registry.example/r:7,"),
        (["--tf-serving", "2.19"], "tensorflow/serving:2.19.1"),
        (["--tf-serving", "2.12.2"], "tensorflow/serving:2.12.2"),
    ],
    ids=["name", "image", "line", "patch release"],
)
def test_options(options: list[str], says: str, base: Path, ask: Deploy) -> None:
    result = ask(base, *options)
    assert (result.exit_code, says in result.output) == (0, True), result.output


def test_written_again_it_takes_the_new_version_and_keeps_the_old(
    base: Path, to: Path, ask: Deploy
) -> None:
    ask(base)
    hand_made_model.write(base / "3", hand_made_model.TAGGER, card=CHECKED_FOR)
    result = ask(base, "--cores", "4")
    assert result.exit_code == 0, result.output
    assert "COPY" in (to / "Dockerfile").read_text()
    assert "models/reviews/2" not in (to / "Dockerfile").read_text()
    assert {path.name for path in (to / "models" / "reviews").iterdir()} == {"2", "3"}


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("notes.txt", "has files of somebody else's: notes.txt"),
        ("kubernetes/ingress.yaml", "has files of somebody else's: kubernetes/ingress.yaml"),
        ("compose.yaml", "was changed since it was written"),
    ],
    ids=["a file", "a manifest", "one of ours, changed"],
)
def test_what_others_wrote_stays(name: str, says: str, base: Path, to: Path, ask: Deploy) -> None:
    ask(base)
    (to / name).write_text("mine")
    before = (to / "batching.config").read_bytes()
    result = ask(base, "--cores", "4")
    assert (result.exit_code, says in result.stderr) == (2, True), result.stderr
    assert (to / name).read_text() == "mine"
    assert (to / "batching.config").read_bytes() == before
    assert ask(base, "--cores", "4", "--force").exit_code == 0
    assert (to / "batching.config").read_bytes() != before
    assert (to / name).exists()


def test_a_write_that_was_cut_off_is_done_again(base: Path, to: Path, ask: Deploy) -> None:
    ask(base)
    (to / ".rawbert-deploy.json").unlink()
    (to / "README.md").unlink()
    (to / "models" / "reviews" / "2" / "saved_model.pb").rename(to.parent / "lost")
    for path in [*(to / "models").rglob("*")][::-1]:
        path.unlink() if path.is_file() else path.rmdir()
    assert ask(base).exit_code == 0
    assert (to / "models" / "reviews" / "2" / "saved_model.pb").exists()


def test_another_model_of_the_same_number_is_refused(
    base: Path, to: Path, tmp_path: Path, ask: Deploy
) -> None:
    ask(base)
    other = hand_made_model.write(tmp_path / "other" / "reviews" / "2", card=CHECKED_FOR)
    result = ask(other.parent)
    assert result.exit_code == 2
    assert "is another model of the same version" in result.stderr
    assert ask(other.parent, "--force").exit_code == 0


REFUSED = [
    ("no model", {}, [], "is an empty folder"),
    ("nothing", None, [], "does not exist"),
    ("no release", {"card": {}}, [], "Say it with --tf-serving 2.12."),
    ("unknown release", {}, ["--tf-serving", "1.15"], "no image of TensorFlow Serving"),
    ("a name", {"card": CHECKED_FOR}, ["--name", "a b"], "is no name for a model"),
    ("an op", {"card": CHECKED_FOR, "op": "NoSuch"}, [], "NoSuch is unknown to TensorFlow Serving"),
    ("no such result", {"card": CHECKED_FOR}, ["--batching", "gone.json"], "no such file"),
]


@pytest.mark.parametrize(("model", "options", "says"), [row[1:] for row in REFUSED],
                         ids=[row[0] for row in REFUSED])  # fmt: skip
def test_what_cannot_be_deployed(
    model: dict | None, options: list[str], says: str, tmp_path: Path, to: Path, ask: Deploy
) -> None:
    base = tmp_path / "base"
    if model is not None:
        base.mkdir()
    if model or "--tf-serving" in options:
        hand_made_model.write(base / "1", **(model or {}))
    result = ask(base, *options)
    assert (result.exit_code, says in result.stderr) == (2, True), result.stderr
    assert not to.exists()


def test_a_broken_graph_is_no_model(tmp_path: Path, ask: Deploy) -> None:
    version = hand_made_model.write(tmp_path / "base" / "1", card=CHECKED_FOR)
    (version / "saved_model.pb").write_bytes(b"\xff\xff")
    result = ask(version.parent)
    assert result.exit_code == 2
    assert "cannot be read" in result.stderr


def test_the_models_own_folder_is_refused(base: Path) -> None:
    for folder in (base, base / "deploy"):
        result = CliRunner().invoke(deploy, [str(base), "--to", str(folder), "--force"])
        assert result.exit_code == 2
        assert "is where the model is" in result.stderr
