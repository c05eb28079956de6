"""AdamW as BERT is fine-tuned: linear warm-up and decay, no weight decay on biases and LayerNorm.

Sources: Devlin et al. 2018 (arXiv:1810.04805), appendix A.2; Loshchilov and Hutter 2017
(arXiv:1711.05101) for the decoupled weight decay.
"""

from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf

from trainer import slices
from trainer.slices import Gradient

_DECAY_EVERY = 16
_DECAY_AT_ONCE = 1e-5  # share of a weight


class WarmupLinearDecay(keras.optimizers.schedules.LearningRateSchedule):
    """Rises linearly from 0 to the peak, then falls linearly to 0 at the last step."""

    def __init__(self, peak: float, warmup_steps: int, total_steps: int) -> None:
        self.peak, self.warmup_steps, self.total_steps = peak, warmup_steps, total_steps

    def __call__(self, step: Any) -> tf.Tensor:
        """The learning rate of a step, counted from 0."""
        now = tf.cast(step, tf.float32) + 1.0
        rise = now / max(1, self.warmup_steps)
        fall = (self.total_steps + 1.0 - now) / max(1, self.total_steps + 1 - self.warmup_steps)
        return self.peak * tf.clip_by_value(tf.minimum(rise, fall), 0.0, 1.0)

    def get_config(self) -> dict[str, Any]:
        """Keras's description of the schedule."""
        return {
            "peak": self.peak,
            "warmup_steps": self.warmup_steps,
            "total_steps": self.total_steps,
        }


class FusedAdamW(keras.optimizers.AdamW):
    """Keras's AdamW whose update of a variable is one op instead of a dozen.

    On a CPU an update passes over memory and costs the same whatever a batch's length, which short
    batches feel most. Decay is a third of that, and in fine-tuning takes some ten-millionths of a
    weight, as little as float32 can tell: so it is summed over some steps, then done.

    Args:
        clip_norm: bound on the norm of all gradients together.
        factor: how many times the learning rate a variable's step is.
        decay_every: steps whose decay is done at once, at the last of them.
        settings: of Keras's AdamW; its learning rate is a schedule.
    """

    def __init__(
        self,
        *,
        clip_norm: float,
        factor: Callable[[keras.Variable], float],
        decay_every: int,
        **settings: Any,
    ) -> None:
        super().__init__(**settings)
        self._clip_norm, self._factor, self._decay_every = clip_norm, factor, decay_every

    def build(self, variables: list[keras.Variable]) -> None:
        """Makes the state of the variables, and notes their factors and which of them decay."""
        super().build(variables)
        self._factors = [self._factor(variable) for variable in variables]
        self._decayed = [self._use_weight_decay(variable) for variable in variables]

    def apply(
        self,
        grads: list[Gradient | None],
        trainable_variables: list[keras.Variable] | None = None,
        weight: tf.Tensor | float = 1.0,
    ) -> None:
        """Applies the gradients of the whole batch, which every replica brings alike.

        Variables that the loss does not hang on (a tagger's pooler) stay as they are.

        Args:
            grads: of the loss summed over the batch.
            trainable_variables: as many.
            weight: scalar; what the sum is to be divided by. 0: nothing is learned.
        """
        pairs = zip(grads, trainable_variables or self._trainable_variables, strict=True)
        used = [(slices.summed(gradient), v) for gradient, v in pairs if gradient is not None]
        share = tf.math.divide_no_nan(1.0, weight)
        norm = tf.linalg.global_norm([slices.numbers(gradient) for gradient, _ in used]) * share
        scale = share * tf.minimum(1.0, self._clip_norm / norm)
        scaled = [slices.scaled(gradient, scale) for gradient, _ in used]
        super().apply(scaled, [variable for _, variable in used])

    def _apply_weight_decay(self, variables: list[keras.Variable]) -> None:
        """Keras would decay before every update; here an update does it, where it is due."""
        self._due = self._decay()  # once, for the updates of all variables that follow

    def _all_reduce_sum_gradients(self, grads_and_vars: list[tuple]) -> list[tuple]:
        """Keras would add up what every replica brings; here that is the whole sum already."""
        return list(grads_and_vars)

    def update_step(
        self, gradient: tf.Tensor, variable: tf.Variable, learning_rate: tf.Tensor
    ) -> None:
        """Adam's step on one variable, which Keras hands over bare."""
        step = tf.cast(self.iterations + 1, variable.dtype)
        index = self._get_variable_index(variable)
        if self._decayed[index]:
            due, share = self._due
            tf.cond(due, lambda: variable.assign_sub(variable * share).op, tf.no_op)
        tf.raw_ops.ResourceApplyAdam(
            var=variable.handle,
            m=self._momentums[index].value.handle,
            v=self._velocities[index].value.handle,
            beta1_power=tf.pow(tf.cast(self.beta_1, variable.dtype), step),
            beta2_power=tf.pow(tf.cast(self.beta_2, variable.dtype), step),
            lr=tf.cast(learning_rate, variable.dtype) * self._factors[index],
            beta1=tf.cast(self.beta_1, variable.dtype),
            beta2=tf.cast(self.beta_2, variable.dtype),
            epsilon=tf.cast(self.epsilon, variable.dtype),
            grad=tf.convert_to_tensor(gradient),
        )

    def _decay(self) -> tuple[tf.Tensor, tf.Tensor]:
        """Whether decay is due at this step, and what share of a weight it takes."""
        step, every = tf.cast(self.iterations, tf.int32), self._decay_every
        rates = self._learning_rate(step - tf.range(every))
        return tf.equal((step + 1) % every, 0), tf.reduce_sum(rates) * self.weight_decay


def adamw(
    model: keras.layers.Layer,
    *,
    learning_rate: float,
    warmup: float,
    weight_decay: float,
    clip_norm: float,
    total_steps: int,
    head_rate: float = 1.0,
) -> FusedAdamW:
    """The optimizer for a built model.

    Args:
        model: its variables of fewer than two dimensions (biases, LayerNorm) are not decayed.
        learning_rate: the peak.
        warmup: share of all steps until the peak.
        weight_decay: decoupled, times the learning rate.
        clip_norm: bound on the norm of all gradients together.
        total_steps: steps of the whole training.
        head_rate: how many times the encoder's learning rate that of all other variables is: what
            begins at random, transition scores above all, has further to go than what is
            pretrained. Weight decay keeps to the encoder's rate, for all.
    """
    optimizer = FusedAdamW(
        clip_norm=clip_norm,
        decay_every=_decay_every(learning_rate * weight_decay),
        factor=lambda variable: 1.0 if variable.path.startswith("encoder/") else head_rate,
        learning_rate=WarmupLinearDecay(learning_rate, round(total_steps * warmup), total_steps),
        weight_decay=weight_decay,
        epsilon=1e-8,
    )
    optimizer.exclude_from_weight_decay(
        var_list=[v for v in model.trainable_variables if len(v.shape) < 2]
    )
    optimizer.build(model.trainable_variables)
    return optimizer


def _decay_every(share: float) -> int:
    """Steps whose decay can be done at once, where one takes this share of a weight at most."""
    return max(1, min(_DECAY_EVERY, int(_DECAY_AT_ONCE / share))) if share else _DECAY_EVERY
