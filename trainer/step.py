"""One step of training on all replicas: each takes its share of the rows, in parts if told to.

A step is the same however its batch is divided: what is summed over rows is summed over parts and
replicas, and then divided once. Every replica is given the whole batch, so no order of the data
depends on how many there are.
"""

from typing import Protocol

import keras
import tensorflow as tf

from trainer.model.sums import Sums
from trainer.optimizer import FusedAdamW
from trainer.slices import Gradient

Batch = dict[str, tf.Tensor]
_Gradients = list[Gradient | None]


class Trainable(Protocol):
    """A model that can be trained: a built Keras layer that tells its sums."""

    metric: str  # what the quality of its sums is called
    variables: list[keras.Variable]
    trainable_variables: list[keras.Variable]

    def sums(self, batch: Batch, training: bool = False, seed: tf.Tensor | None = None) -> Sums:
        """Loss and right answers of a batch; ``seed``, [2] int32, decides what is dropped."""


class Step:
    """Trains on and judges batches; to be made and called in the strategy's scope.

    Args:
        model: built.
        optimizer: of the model's trainable variables.
        signature: of a batch.
        seed: decides with the number of the step what is dropped.
        parts: how many a replica's share is cut into, one after another in less memory.
    """

    def __init__(
        self,
        model: Trainable,
        optimizer: FusedAdamW,
        signature: dict[str, tf.TensorSpec],
        seed: int,
        parts: int = 1,
    ) -> None:
        self._model, self._optimizer, self._seed, self._parts = model, optimizer, seed, parts
        self._strategy = tf.distribute.get_strategy()
        # One trace for all lengths.
        self.train = tf.function(self._train, input_signature=[signature])
        self.judge = tf.function(self._judge, input_signature=[signature])

    def _train(self, batch: Batch) -> Sums:
        """One step; the sums over the whole batch, the same on every worker."""
        return self._anyone(self._strategy.run(self._train_share, (batch,)))

    def _judge(self, batch: Batch) -> Sums:
        """The sums over the whole batch, nothing learned."""
        return self._anyone(self._strategy.run(self._judge_share, (batch,)))

    def _anyone(self, on_replicas: Sums) -> Sums:
        return Sums(*(self._strategy.experimental_local_results(one)[0] for one in on_replicas))

    def _train_share(self, batch: Batch) -> Sums:
        gradients, sums = self._of_part(batch, 0)
        if self._parts > 1:
            gradients, sums = self._with_other_parts(batch, gradients, sums)
        used = [gradient for gradient in gradients if gradient is not None]
        summed, sums = _over_replicas(used, sums)
        following = iter(summed)
        self._optimizer.apply(
            [None if gradient is None else next(following) for gradient in gradients],
            self._model.trainable_variables,
            weight=sums.weight,
        )
        return sums

    def _judge_share(self, batch: Batch) -> Sums:
        context = tf.distribute.get_replica_context()
        share = _share(batch, context.replica_id_in_sync_group, context.num_replicas_in_sync)
        return _over_replicas([], self._model.sums(share))[1]

    def _of_part(self, batch: Batch, part: int | tf.Tensor) -> tuple[_Gradients, Sums]:
        """Of one part of this replica's share: gradients of the summed loss, and the sums."""
        context = tf.distribute.get_replica_context()
        shares = context.num_replicas_in_sync * self._parts
        mine = context.replica_id_in_sync_group * self._parts + part
        # What is dropped follows from the step, so a resumed run drops the same.
        step = tf.cast(self._optimizer.iterations, tf.int32) * shares + mine
        seed = tf.stack([self._seed, step])
        with tf.GradientTape() as tape:
            sums = self._model.sums(_share(batch, mine, shares), training=True, seed=seed)
        variables = [variable.value for variable in self._model.trainable_variables]
        gradients = tape.gradient(sums.loss, variables)
        if shares > 1:  # they are added to others
            return [None if g is None else tf.convert_to_tensor(g) for g in gradients], sums
        return gradients, sums

    def _with_other_parts(
        self, batch: Batch, gradients: _Gradients, sums: Sums
    ) -> tuple[_Gradients, Sums]:
        """Adds the parts after the first, one at a time, so that the memory of one is enough."""
        places = [place for place, gradient in enumerate(gradients) if gradient is not None]

        def add(part: tf.Tensor, so_far: list[tf.Tensor], summed: Sums) -> tuple:
            more, told = self._of_part(batch, part)
            added = [old + more[place] for old, place in zip(so_far, places, strict=True)]
            return part + 1, added, Sums(*map(tf.add, summed, told))

        first = (tf.constant(1), [gradients[place] for place in places], sums)
        _, added, sums = tf.while_loop(
            lambda part, *_: part < self._parts, add, first, parallel_iterations=1
        )
        whole: _Gradients = [None] * len(gradients)
        for place, gradient in zip(places, added, strict=True):
            whole[place] = gradient
        return whole, sums


def _share(batch: Batch, mine: int | tf.Tensor, shares: int) -> Batch:
    """Each share-th row: neighbours are of like lengths, so shares are, too."""
    if shares == 1:
        return batch
    return {name: rows[mine::shares] for name, rows in batch.items()}


def _over_replicas(gradients: list[Gradient], sums: Sums) -> tuple[list[Gradient], Sums]:
    """Adds up what all replicas bring, at one go: then everything has to be of one type."""
    context = tf.distribute.get_replica_context()
    if context.num_replicas_in_sync == 1:
        return gradients, sums
    floats = [tf.cast(number, tf.float32) for number in sums]  # counts of a batch are exact in it
    total = context.all_reduce(tf.distribute.ReduceOp.SUM, [*gradients, *floats])
    counted = zip(total[len(gradients) :], sums, strict=True)
    return total[: len(gradients)], Sums(*(tf.cast(all, one.dtype) for all, one in counted))
