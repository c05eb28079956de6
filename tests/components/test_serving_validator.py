"""ServingValidator: a good model is blessed and pushed, each bad one refused for its own reason."""

import json
import os
import subprocess
import sys
from pathlib import Path

import answering_model
import pytest
import tensorflow as tf
from answering_model import AnsweringModel, export, parse
from tfx.components import Pusher
from tfx.dsl.components.common.importer import Importer
from tfx.proto.pusher_pb2 import PushDestination
from tfx.types import standard_artifacts

from components.serving_validator import ServingValidator, ServingValidatorExecutor
from serving.validation.hermetic import GUARD
from serving.validation.interview import example
from serving.validation.report import read

TEXTS = ["a good film", "a bad film!", "films", "", "a good film", "bad " * 40, "café \U0001f600"]


@pytest.fixture(scope="module")
def new_model(tmp_path_factory):
    """Makes an AnsweringModel; its vocabulary file is gone before anything is validated."""

    def make():
        vocabulary = tmp_path_factory.mktemp("encoder") / "vocab.txt"
        vocabulary.write_text("\n".join(answering_model.PIECES) + "\n", encoding="utf-8")
        return AnsweringModel(vocabulary)

    return make


@pytest.fixture(scope="module")
def good(new_model, tmp_path_factory):
    model = new_model()
    return model, export(model, tmp_path_factory.mktemp("good"))


def examples(folder: Path, rows: list[tf.train.Example]) -> standard_artifacts.Examples:
    """An Examples artifact with one split, `test`."""
    (folder / "Split-test").mkdir(parents=True)
    options = tf.io.TFRecordOptions(compression_type="GZIP")
    with tf.io.TFRecordWriter(str(folder / "Split-test" / "rows.gz"), options) as writer:
        for row in rows:
            writer.write(row.SerializeToString())
    artifact = standard_artifacts.Examples()
    artifact.uri, artifact.split_names = str(folder), '["test"]'
    return artifact


def transformed(model: AnsweringModel, texts: list[str]) -> list[tf.train.Example]:
    """What Transform would have written, in another order than the texts."""
    ids = model.packed(tf.constant(texts)).input_word_ids.to_list()
    features = [tf.train.Feature(int64_list=tf.train.Int64List(value=row)) for row in ids]
    return [
        tf.train.Example(features=tf.train.Features(feature={"input_word_ids": feature}))
        for feature in reversed(features)
    ]


@pytest.fixture
def verdict(tmp_path):
    """Runs the executor; gives its report and the blessing artifact."""

    def run(uri, rows=TEXTS, ids=None, **properties):
        model, blessing = standard_artifacts.Model(), standard_artifacts.InfraBlessing()
        model.uri, blessing.uri = uri, str(tmp_path / "blessing")
        inputs = {
            "model": [model],
            "examples": [examples(tmp_path / "raw", [example(t.encode(), "text") for t in rows])],
        }
        if ids is not None:
            inputs["transformed_examples"] = [examples(tmp_path / "transformed", ids)]
        settings = {"tf_serving": "2.12", "task": "classify", "text": "text", "label": "label"}
        ServingValidatorExecutor().Do(inputs, {"blessing": [blessing]}, {**settings, **properties})
        return read(blessing.uri), blessing

    return run


def test_blesses_a_good_model_and_says_what_it_checked(good, verdict):
    model, uri = good
    report, blessing = verdict(uri, ids=transformed(model, TEXTS), latency_ms=60_000.0)
    assert report.findings == []
    assert set(report.checks) == {
        "ops", "hermetic", "signatures", "load", "raw strings", "scores", "alone as in a batch",
        "batch sizes", "examples", "classify", "tokenize", "skew", "latency",
    }  # fmt: skip
    assert report.checks["skew"] == len(TEXTS)
    assert report.latency.requests == 50
    assert 0 < report.latency.p50_ms <= report.latency.p99_ms
    assert blessing.get_int_custom_property("blessed") == 1
    assert sorted(os.listdir(blessing.uri)) == ["INFRA_BLESSED", "report.json"]


BY_THE_GRAPH = {
    "too-new op": (answering_model.new_op, "RaggedFillEmptyRows is unknown", '"2.13"'),
    "too-new op in a branch": (
        answering_model.new_op_in_branch, "RaggedFillEmptyRows is unknown", '"2.13"'
    ),
    "too-new attribute": (answering_model.new_attribute, "index_type of the op TopKV2", '"2.13"'),
    "too-new TF Text op": (answering_model.new_text_op, "TFText>RoundRobinTrim is unknown", "2.20"),
}  # fmt: skip


@pytest.mark.parametrize(("change", "found", "fix"), BY_THE_GRAPH.values(), ids=BY_THE_GRAPH)
def test_refuses_what_the_release_does_not_know(new_model, verdict, tmp_path, change, found, fix):
    model = new_model()
    model.change_logits = change
    report, blessing = verdict(export(model, tmp_path / "model"))
    assert {finding.check for finding in report.findings} == {"ops"}
    (finding,) = report.findings
    assert found in finding.found
    assert "serving_default" in finding.where
    assert fix in finding.fix
    assert blessing.get_int_custom_property("blessed") == 0
    assert sorted(os.listdir(blessing.uri)) == ["INFRA_NOT_BLESSED", "report.json"]


def test_takes_the_text_op_for_a_release_that_links_it(new_model, verdict, tmp_path):
    model = new_model()
    model.change_logits = answering_model.new_text_op
    report, _ = verdict(export(model, tmp_path / "model"), tf_serving="2.20")
    assert report.findings == []


def test_refuses_a_serving_default_that_wants_examples(new_model, verdict, tmp_path):
    model = new_model()
    signatures = model.signatures()
    signatures["serving_default"] = signatures["examples"]
    report, _ = verdict(export(model, tmp_path / "model", signatures))
    assert [f.check for f in report.findings] == ["signatures"]
    assert "wants a serialized tf.Example, not a raw string" in report.findings[0].found


@pytest.mark.usefixtures("served_here")
def test_refuses_a_serving_default_that_parses_what_it_calls_text(new_model, verdict, tmp_path):
    model = new_model()
    signatures = model.signatures()
    signatures["serving_default"] = tf.function(
        lambda text: model.predict(parse(text)), input_signature=[answering_model.TEXT]
    ).get_concrete_function()
    report, _ = verdict(export(model, tmp_path / "model", signatures))
    assert {f.check for f in report.findings} >= {"raw strings"}
    assert all("wants a serialized tf.Example" in f.found for f in report.findings[:3])


@pytest.mark.usefixtures("served_here")
def test_refuses_scores_that_are_not_numbers(new_model, verdict, tmp_path):
    model = new_model()
    model.change_logits = answering_model.nan_if_empty
    report, _ = verdict(export(model, tmp_path / "model"), rows=["a good film"])
    assert any("not finite for empty" in f.found for f in report.findings)


def test_refuses_a_file_outside_the_model(new_model, verdict, tmp_path):
    outside = tmp_path / "encoder" / "weights.bin"
    outside.parent.mkdir()
    outside.write_bytes(b"\0\0\0\0")
    model = new_model()
    model.change_logits = lambda logits, _: (
        logits + tf.io.decode_raw(tf.io.read_file(str(outside)), tf.float32)
    )
    report, _ = verdict(export(model, tmp_path / "model"))
    assert {f.check for f in report.findings} == {"hermetic"}
    assert str(outside) in report.findings[0].found


@pytest.mark.usefixtures("served_here")
def test_refuses_other_ids_than_transform_made(good, verdict):
    model, uri = good
    swapped = transformed(model, [text.replace("good", "bad") for text in TEXTS])
    report, _ = verdict(uri, ids=swapped)
    assert {f.check for f in report.findings} == {"skew"}
    assert "of 2 texts" in report.findings[0].found


@pytest.mark.usefixtures("served_here")
def test_latency_decides_only_if_a_limit_is_set(good, verdict):
    report, _ = verdict(good[1], latency_ms=0.001)
    assert [f.check for f in report.findings] == ["latency"]


def test_refuses_a_folder_without_a_model(tmp_path, verdict):
    report, _ = verdict(str(tmp_path / "nothing"))
    assert [f.check for f in report.findings] == ["load"]
    assert "saved_model.pb" in report.findings[0].found


@pytest.mark.parametrize("module", ["keras", "tf_keras", "tensorflow_transform", "tfx", "trainer"])
def test_the_serving_process_cannot_import(module):
    process = subprocess.run(
        [sys.executable, "-c", f"import {module}"],
        env={**os.environ, "PYTHONPATH": str(GUARD)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert process.returncode == 1
    assert "is of the training" in process.stderr


PUSHED = {"good": (lambda logits, _: logits, True), "bad": (answering_model.new_op, False)}


@pytest.mark.parametrize(("change", "pushed"), PUSHED.values(), ids=PUSHED)
def test_the_standard_pusher_obeys(new_model, run_pipeline, newest, tmp_path, change, pushed):
    model = new_model()
    model.change_logits = change
    importer = Importer(
        source_uri=export(model, tmp_path / "model"), artifact_type=standard_artifacts.Model
    ).with_id("Model")
    validator = ServingValidator(model=importer.outputs["result"], tf_serving="2.12")
    pusher = Pusher(
        model=importer.outputs["result"],
        infra_blessing=validator.outputs["blessing"],
        push_destination=PushDestination(
            filesystem=PushDestination.Filesystem(base_directory=str(tmp_path / "out"))
        ),
    )
    _, error = run_pipeline([importer, validator, pusher])
    assert error is None
    assert (tmp_path / "out").exists() == pushed
    report = json.loads((newest("ServingValidator", "blessing") / "report.json").read_text())
    assert report["blessed"] is pushed
