"""TensorBoard reads the scalars as its own."""

from pathlib import Path

import pytest
import tensorflow as tf

from trainer import scalars

accumulator = pytest.importorskip(
    "tensorboard.backend.event_processing.event_accumulator", reason="stack B has no TensorBoard"
)


def test_they_are_tensorboards_own(tmp_path: Path) -> None:
    ours, own = (tf.summary.create_file_writer(str(tmp_path / name)) for name in ("ours", "own"))
    for step, loss in ((1, 0.7), (2, 0.25)):
        scalars.write(ours, step, {"loss": loss, "examples_per_s": 40})
        with own.as_default(step=step):
            tf.summary.scalar("loss", loss)
            tf.summary.scalar("examples_per_s", 40)
    own.flush()
    assert _read(tmp_path / "ours") == _read(tmp_path / "own")


def _read(folder: Path) -> dict:
    log = accumulator.EventAccumulator(str(folder))
    log.Reload()
    ours = ["loss", "examples_per_s"]
    assert log.Tags()["tensors"] == ours
    return {tag: (str(log.SummaryMetadata(tag)), _values(log.Tensors(tag))) for tag in ours}


def _values(events: list) -> list[tuple[int, float]]:
    return [(event.step, tf.make_ndarray(event.tensor_proto).item()) for event in events]
