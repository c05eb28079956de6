"""What is exported loads where TensorFlow Serving loads, and holds plain ops only."""

from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from trainer.model.classify import ClassifyHead
from trainer.model.config import EncoderConfig
from trainer.model.encoder import Encoder

INPUTS = ("input_word_ids", "input_mask", "input_type_ids")
# All in every TensorFlow since 1.15, none with a GPU kernel alone. BatchMatMulV3 is newer.
PLAIN_OPS = (
    "AddV2 BatchMatMulV2 BiasAdd Cast Const Erf GatherV2 Identity MatMul Mean Mul NoOp Pack "
    "Placeholder Range ReadVariableOp RealDiv Reshape Rsqrt Shape Softmax Square StridedSlice "
    "Sub Tanh Transpose Unpack "
)


class Servable(tf.Module):
    """An export as it has to be: the module tracks the bare variables, and not the layers.

    Tracked, Keras 3 layers bring second copies of all variables into the SavedModel, and a TF 1
    Session initialises those only.
    """

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__()
        encoder, head = Encoder(config), ClassifyHead(config, classes=3)
        self.tracked = [weight.value for weight in (*encoder.weights, *head.weights)]
        self.logits = lambda *batch: head(encoder(*batch).pooled)

    @tf.function(input_signature=[tf.TensorSpec([None, None], tf.int32, name=n) for n in INPUTS])
    def serve(
        self, input_word_ids: tf.Tensor, input_mask: tf.Tensor, input_type_ids: tf.Tensor
    ) -> dict[str, tf.Tensor]:
        return {"logits": self.logits(input_word_ids, input_mask, input_type_ids)}


@pytest.fixture(scope="module")
def servable(tiny: EncoderConfig) -> Servable:
    return Servable(tiny)


@pytest.fixture(scope="module")
def exported(servable: Servable, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("exported")
    tf.saved_model.save(servable, str(folder), signatures={"serving_default": servable.serve})
    return folder


@pytest.mark.parametrize("shape", [(1, 2), (3, 7), (0, 4)], ids=str)
def test_tf1_session_answers_as_eager(servable: Servable, exported: Path, shape: tuple) -> None:
    ids = np.random.default_rng(0).integers(1, 30, shape).astype(np.int32)
    batch = [ids, np.ones_like(ids), np.zeros_like(ids)]
    expected = servable.logits(*batch).numpy()
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        loaded = tf.compat.v1.saved_model.load(session, ["serve"], str(exported))
        signature = loaded.signature_def["serving_default"]
        feed = {signature.inputs[n].name: part for n, part in zip(INPUTS, batch, strict=True)}
        logits = session.run(signature.outputs["logits"].name, feed)
    assert logits.shape == (shape[0], 3)
    np.testing.assert_allclose(logits, expected, atol=1e-6)


def test_ops_are_plain_and_few(servable: Servable) -> None:
    ops = [op.type for op in servable.serve.get_concrete_function().graph.get_operations()]
    assert set(ops) <= set(PLAIN_OPS.split())
    assert ops.count("MatMul") == 4 * 2 + 2  # four a layer: q, k and v are one; pooler; head
    assert ops.count("BatchMatMulV2") == ops.count("Transpose") == 2 * 2


def test_weights_are_stored_once(servable: Servable, exported: Path) -> None:
    stored = tf.train.list_variables(str(exported / "variables" / "variables"))
    assert len([name for name, shape in stored if shape]) == len(servable.tracked)
