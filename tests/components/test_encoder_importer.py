"""EncoderImporter in a real pipeline with a real metadata store."""

from pathlib import Path
from typing import Any

import pytest
import tiny_encoder

from components.encoder_folder import fingerprint

NODE = "EncoderImporter"


@pytest.fixture
def run(tmp_path: Path, run_pipeline: Any) -> Any:
    """Composes and runs the component anew; gives its executions' states and the error."""

    def run(source: str, expected: str = "") -> tuple[list[str], Exception | None]:
        from components.encoder_importer import EncoderImporter

        importer = EncoderImporter(source=source, fingerprint=expected or fingerprint(source))
        states, error = run_pipeline([importer])
        return [state for node, state in states if node.endswith(NODE)], error

    return run


def test_is_cached_until_a_byte_changes(tmp_path: Path, run: Any, newest: Any) -> None:
    source = tiny_encoder.write(tmp_path / "mine")
    assert run(str(source)) == (["COMPLETE"], None)
    assert run(str(source)) == (["COMPLETE", "CACHED"], None)
    vocabulary = (source / "vocab.txt").read_bytes().replace(b"bad", b"poor")
    (source / "vocab.txt").write_bytes(vocabulary)
    assert run(str(source)) == (["COMPLETE", "CACHED", "COMPLETE"], None)
    folder = newest(NODE, "model") / "Format-Serving"
    assert (folder / "vocab.txt").read_bytes() == vocabulary


def test_the_artifact_says_where_it_came_from(tmp_path: Path, run: Any) -> None:
    from ml_metadata.metadata_store import metadata_store
    from tfx.orchestration import metadata

    source = tiny_encoder.write(tmp_path / "mine")
    run(str(source))
    database = str(tmp_path / "metadata.sqlite")
    config = metadata.sqlite_metadata_connection_config(database)
    (model,) = metadata_store.MetadataStore(config).get_artifacts_by_type("Model")
    assert model.custom_properties["source"].string_value == str(source)
    assert len(model.custom_properties["sha256"].string_value) == 64
    # The standard Trainer asks the path library where its base_model lies.
    from tfx.utils import path_utils

    folder = Path(path_utils.serving_model_path(model.uri))
    assert sorted(p.name for p in folder.iterdir()) == sorted(tiny_encoder.files())


def test_an_encoder_that_changes_meanwhile_is_refused(tmp_path: Path, run: Any) -> None:
    source = tiny_encoder.write(tmp_path / "mine")
    states, error = run(str(source), expected="0" * 64)
    assert states == ["FAILED"]
    assert "not what it was when the pipeline was composed" in str(error)
