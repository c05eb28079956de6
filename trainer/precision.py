"""Which precision the exported encoder multiplies in: asked for by the recipe, settled by a trial.

The trial runs before training, on the machine that trains, with weights of no meaning: what a
product costs does not depend on them. What the lower precision does to the answers is measured
after training and told; whether it is too much is the gates' to say, which judge the model that
was exported.
"""

import statistics
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

import numpy as np
import tensorflow as tf

from trainer import progress
from trainer.errors import BadInput
from trainer.model.config import EncoderConfig
from trainer.model.dense import products
from trainer.model.encoder import Encoder
from trainer.model.lower import Lower
from trainer.model.on_encoder import Batch, OnEncoder
from trainer.model.padding_free import encode

FLOAT32, FASTEST = "float32", "fastest"
LOWER = ("bfloat16", "float16")
_PAYS, _HARMS = 0.9, 1.05
_TEXTS, _RUNS = 32, 7
_WARM_UPS = 2

Texts = tuple[tf.RaggedTensor, tf.RaggedTensor]  # ids and types, [B, (tokens)] int32 each


@dataclass(frozen=True)
class Trial:
    """What a precision costs, in times of float32's.

    Attributes:
        dtype: `"bfloat16"` or `"float16"`.
        one: for one text of median length.
        many: for 32 texts of all lengths.
    """

    dtype: str
    one: float
    many: float

    @property
    def pays(self) -> bool:
        """Clearly faster at one of the two, and slower at neither."""
        return min(self.one, self.many) <= _PAYS and max(self.one, self.many) <= _HARMS

    def __str__(self) -> str:
        times = f"{self.one:.2f} of float32's time for one text, {self.many:.2f} for {_TEXTS}"
        return f"{self.dtype} takes {times}"


def settle(
    asked: str, shape: EncoderConfig, batches: Iterable[Batch], constants: bool = False
) -> Trial | None:
    """The precision to export in; None is float32.

    Args:
        asked: `"float32"`, `"bfloat16"`, `"float16"`, or `"fastest"`: the fastest of them here.
        shape: of the encoder that will be served.
        batches: ``input_word_ids``, ``input_mask``, ``input_type_ids``, [rows, tokens] int32 each,
            of texts as they will be asked; not read for float32.
        constants: see `trainer.model.padding_free.encode`.

    Raises:
        BadInput: the precision that was asked for is no gain on this machine.
    """
    if asked == FLOAT32:
        return None
    # An encoder of its own: the one that is trained may be spread over devices and workers.
    attempt = partial(_try, Encoder(shape), _texts(list(batches)), constants)
    trials = [attempt(dtype) for dtype in (LOWER if asked == FASTEST else (asked,))]
    paying = [trial for trial in trials if trial.pays]
    for trial in trials:
        progress.publish("precision", told=f"{trial}")
    if asked != FASTEST and not paying:
        raise BadInput(
            f"{trials[0]} on this machine: it does not pay",
            where="serve.precision",
            fix="Write `float32`, or train on a machine like the one that will serve.",
        )
    return min(paying, key=lambda trial: trial.one * trial.many, default=None)


def account(
    trial: Trial, lower: Lower, model: OnEncoder, batches: Iterable[Batch]
) -> dict[str, Any]:
    """What the card tells of the precision: its trial, and the most that a score differs by.

    Args:
        trial: of the precision that the model is exported in.
        lower: that precision.
        model: trained.
        batches: of rows to score.
    """
    most = 0.0
    for batch in batches:
        exact = model.probabilities(batch)
        with products(lower=lower):
            most = max(most, float(tf.reduce_max(tf.abs(model.probabilities(batch) - exact))))
    told = {**asdict(trial), "scores_differ_by": most}
    progress.publish("precision", told=f"exported in {trial.dtype}: scores differ by {most:.4f}")
    return told


def _try(encoder: Encoder, texts: Texts, constants: bool, dtype: str) -> Trial:
    order = np.argsort(texts[0].row_lengths(), kind="stable")
    spread = order[np.linspace(0, len(order) - 1, _TEXTS).astype(int)]
    median = order[[len(order) // 2]]
    exact, low = (_asked(encoder, lower, constants) for lower in (None, Lower(dtype)))
    one, many = (
        _ratio(low, exact, (tf.gather(texts[0], chosen), tf.gather(texts[1], chosen)))
        for chosen in (median, spread)
    )
    return Trial(dtype, one, many)


def _texts(batches: list[Batch]) -> Texts:
    lengths = [tf.reduce_sum(batch["input_mask"], axis=1) for batch in batches]
    ids, types = (
        tf.concat(
            [
                tf.RaggedTensor.from_tensor(batch[name], lengths=own)
                for batch, own in zip(batches, lengths, strict=True)
            ],
            axis=0,
        )
        for name in ("input_word_ids", "input_type_ids")
    )
    return ids, types


def _asked(encoder: Encoder, lower: Lower | None, constants: bool) -> Callable[..., tf.Tensor]:
    spec = tf.RaggedTensorSpec([None, None], tf.int32)

    def pooled(ids: tf.RaggedTensor, types: tf.RaggedTensor) -> tf.Tensor:
        return encode(encoder, ids, types, pooled_only=True, constants=constants).pooled

    with products(lower=lower):
        return tf.function(pooled, autograph=False).get_concrete_function(spec, spec)


def _ratio(low: Callable[..., tf.Tensor], exact: Callable[..., tf.Tensor], texts: Texts) -> float:
    """Median of the ratios of times, in turns so that both feel what else the machine does."""
    pairs = [(_seconds(low, texts), _seconds(exact, texts)) for _ in range(_WARM_UPS + _RUNS)]
    return statistics.median(mine / other for mine, other in pairs[_WARM_UPS:])


def _seconds(function: Callable[..., tf.Tensor], texts: Texts) -> float:
    started = time.perf_counter()
    function(*texts).numpy()
    return time.perf_counter() - started
