"""A lower precision is really lower, near enough, and refused where it does not pay."""

from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from tiny_training import LAYOUT, splits, tiny_classifier

from serving.ops.check import check_graph
from serving.ops.graph import read_meta_graph
from serving.ops.table import OpTable
from serving.validation.tolerance import FLOAT32, tolerance
from trainer import batches, precision
from trainer.errors import BadInput
from trainer.model.classifier import Classifier
from trainer.model.dense import products
from trainer.model.lower import Lower
from trainer.precision import Trial

RAGGED = tf.RaggedTensorSpec([None, None], tf.int32)
IDS = tf.ragged.constant([[1, 7, 9, 3, 2], [1, 2], [1, 30, 4, 2]], dtype=tf.int32)
MANY = tf.concat([IDS] * 8, axis=0)  # more tokens than FEW_TOKENS
NEAR = {"bfloat16": 2e-2, "float16": 2e-3}


@pytest.fixture(scope="module")
def classifier(tmp_path_factory) -> Classifier:
    return tiny_classifier(tmp_path_factory.mktemp("encoder"))


@pytest.fixture(scope="module")
def rows(tmp_path_factory) -> list[dict[str, tf.Tensor]]:
    return list(batches.evaluation_batches(splits(tmp_path_factory.mktemp("rows")).eval, LAYOUT))


@pytest.mark.parametrize("ids", [IDS, IDS[:1], MANY], ids=["few", "one", "many"])
@pytest.mark.parametrize("constants", [False, True], ids=["variables", "constants"])
@pytest.mark.parametrize("dtype", NEAR)
def test_scores_are_near_and_not_the_same(
    classifier: Classifier, dtype: str, constants: bool, ids: tf.RaggedTensor
) -> None:
    exact = classifier.of_ragged(ids, tf.zeros_like(ids))
    with products(lower=Lower(dtype)):
        low = classifier.of_ragged(ids, tf.zeros_like(ids), constants=constants)
    assert 0 < np.abs(low - exact).max() < NEAR[dtype]
    np.testing.assert_array_equal(classifier.of_ragged(ids, tf.zeros_like(ids)), exact)


@pytest.mark.parametrize(
    ("dtype", "apart"), [(None, FLOAT32), ("bfloat16", 1e-2), ("float16", 2e-3)]
)
def test_a_saved_model_holds_one_copy_that_servers_know(
    classifier: Classifier, tmp_path: Path, dtype: str | None, apart: float
) -> None:
    lower = Lower(dtype) if dtype else None
    with products(lower=lower):
        answer = tf.function(lambda ids: classifier.of_ragged(ids, tf.zeros_like(ids)))
        traced = answer.get_concrete_function(RAGGED)
    module = tf.Module()
    variables = classifier.variables
    module.kept = lower.variables(variables) if lower else [v.value for v in variables]
    tf.saved_model.save(module, str(tmp_path), signatures=traced)
    meta_graph = read_meta_graph(tmp_path)
    assert check_graph(meta_graph, OpTable("2.12")) == []
    assert tolerance(meta_graph) == apart
    reader = tf.train.load_checkpoint(str(tmp_path / "variables" / "variables"))
    kinds = reader.get_variable_to_dtype_map()
    of_qkv = {kinds[k] for k, shape in reader.get_variable_to_shape_map().items() if 48 in shape}
    of_rest = {kinds[k] for k, shape in reader.get_variable_to_shape_map().items() if 40 in shape}
    assert (of_qkv, of_rest) == ({tf.as_dtype(dtype or "float32"), tf.float32}, {tf.float32})


@pytest.mark.parametrize(
    ("one", "many", "pays"),
    [
        (0.7, 0.5, True),
        (1.0, 0.5, True),
        (0.5, 1.0, True),
        (0.95, 0.95, False),
        (1.6, 0.5, False),
        (0.5, 1.6, False),
    ],
)
def test_what_pays(one: float, many: float, pays: bool) -> None:
    assert Trial("bfloat16", one, many).pays is pays


def test_float32_needs_no_trial(classifier: Classifier) -> None:
    assert precision.settle("float32", classifier.encoder.config, []) is None


@pytest.mark.parametrize("constants", [False, True], ids=["variables", "constants"])
@pytest.mark.parametrize("asked", ["bfloat16", "fastest"])
def test_what_is_gained_decides(classifier, rows, monkeypatch, asked: str, constants: bool) -> None:
    monkeypatch.setattr(precision, "_HARMS", float("inf"))
    monkeypatch.setattr(precision, "_PAYS", float("inf"))
    trial = precision.settle(asked, classifier.encoder.config, rows, constants)
    assert trial and trial.one > 0 and trial.many > 0
    monkeypatch.setattr(precision, "_PAYS", 0.0)
    if asked == "fastest":
        assert precision.settle(asked, classifier.encoder.config, rows, constants) is None
        return
    with pytest.raises(BadInput, match=r"serve.precision: bfloat16 takes .* does not pay"):
        precision.settle(asked, classifier.encoder.config, rows, constants)


def test_the_card_tells_the_difference(classifier: Classifier, rows) -> None:
    told = precision.account(Trial("bfloat16", 0.5, 0.4), Lower("bfloat16"), classifier, rows)
    assert {key: told[key] for key in ("dtype", "one", "many")} == {
        "dtype": "bfloat16", "one": 0.5, "many": 0.4,
    }  # fmt: skip
    assert 0 < told["scores_differ_by"] < NEAR["bfloat16"]
