"""Precision, recall and F1 of entities, as a TFMA metric.

An entity is right if its first byte, its end and its type are those of a gold entity, all three
(the strict match of CoNLL's evaluation, on bytes of the raw text in place of words). Gold comes
from the serialized Example, predictions from the `examples` signature, so what is measured is what
a client gets for the raw text: an entity that begins or ends inside a gold word is wrong.

F1 has an interval, too, by a bootstrap over the texts: entities of one text do not fall singly.

The module is named in EvalConfig; Beam workers import it from the installed package.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

import apache_beam as beam
import numpy as np
import tensorflow as tf
import tensorflow_model_analysis as tfma
from tensorflow_model_analysis.metrics import metric_types

from components import bootstrap
from trainer.span_columns import SPANS

Entity = tuple[int, int, str]  # first byte, byte after the last one, type

F1, PRECISION, RECALL = "entity_f1", "entity_precision", "entity_recall"
GOLD, PREDICTED = "entities_gold", "entities_predicted"
LOW, HIGH = "entity_f1_low", "entity_f1_high"
METHOD = bootstrap.METHOD
SEPARATOR = "/"  # entity_f1/LOC


class Matches(NamedTuple):
    """Entities that are in both, in gold, and in the prediction."""

    hits: int = 0
    gold: int = 0
    predicted: int = 0

    def figures(self) -> dict[str, float]:
        """The five metrics; 0 where there is nothing to divide by, so that no bound is passed."""
        return {
            PRECISION: self.hits / max(1, self.predicted),
            RECALL: self.hits / max(1, self.gold),
            F1: 2 * self.hits / max(1, self.gold + self.predicted),
            GOLD: float(self.gold),
            PREDICTED: float(self.predicted),
        }


ByType = dict[str, Matches]
Resampled = dict[str, np.ndarray]  # type ▶ matches of each resample, [1 + resamples, 3]


class EntityScores(tfma.metrics.Metric):
    """`entity_f1`, `entity_precision`, `entity_recall`, `entities_gold`, `entities_predicted`.

    And `entity_f1_low` and `entity_f1_high`, the bounds of F1's interval.

    Each over all entities, and once more for every type: `entity_f1/LOC`.

    Args:
        name: of the metric that thresholds bind; TFMA gives it.
        code: digest of the code that measures. Nothing reads it: it makes the configuration, by
            which TFX caches evaluations, another one when the code is.
    """

    def __init__(self, name: str = F1, code: str = "") -> None:
        super().__init__(_computations, name=name)


def _computations(
    name: str = F1,
    model_names: list[str] | None = None,
    example_weighted: bool = False,
) -> metric_types.MetricComputations:
    return [
        metric_types.MetricComputation(
            keys=[_key(name, model, example_weighted)],
            preprocessors=[_Match(model)],
            combiner=_Sum(model, example_weighted),
        )
        for model in model_names or [""]
    ]


def _key(name: str, model: str, example_weighted: bool) -> metric_types.MetricKey:
    return metric_types.MetricKey(name=name, model_name=model, example_weighted=example_weighted)


class _Match(metric_types.Preprocessor):
    """One text's extracts to its matches by type, so that slices shuffle a few numbers."""

    def __init__(self, model: str) -> None:
        super().__init__(name=f"entity_matches_{model}", model=model)
        self._model = model

    def process(self, extracts: Any) -> Iterator[tuple[int, ByType]]:
        """TFMA's entry point, with the extracts of one example."""
        predictions = extracts[tfma.PREDICTIONS_KEY]
        # With a baseline the predictions are by model; alone the model has no name.
        predictions = predictions.get(self._model, predictions) if self._model else predictions
        [serialized] = extracts[tfma.INPUT_KEY]
        found = matches(gold_entities(serialized), predicted_entities(predictions))
        yield bootstrap.seed_of(serialized), found


class _Sum(beam.CombineFn):
    """Adds matches by type and gives all figures."""

    def __init__(self, model: str, example_weighted: bool) -> None:
        self._model, self._example_weighted = model, example_weighted

    def create_accumulator(self) -> Resampled:
        return {}

    def add_input(self, accumulator: Resampled, element: tuple[int, ByType]) -> Resampled:
        seed, by_type = element
        if not by_type:
            return accumulator
        weights = bootstrap.weights(seed)
        one = {kind: weights[:, None] * np.array(found) for kind, found in by_type.items()}
        return self.merge_accumulators([accumulator, one])

    def merge_accumulators(self, accumulators: Iterable[Resampled]) -> Resampled:
        total: Resampled = {}
        for by_type in accumulators:
            for kind, found in by_type.items():
                total[kind] = total[kind] + found if kind in total else found
        return total

    def extract_output(self, accumulator: Resampled) -> dict[metric_types.MetricKey, float]:
        nothing = np.zeros([1 + bootstrap.RESAMPLES, len(Matches._fields)], np.int64)
        whole = sum(accumulator.values(), nothing)
        return {
            _key(f"{name}{SEPARATOR}{kind}" if kind else name, self._model, self._example_weighted):
            figure
            for kind, found in [("", whole), *sorted(accumulator.items())]
            for name, figure in _figures(found).items()
        }  # fmt: skip


def _figures(found: np.ndarray) -> dict[str, float]:
    """All figures of a type's matches, [1 + resamples, 3]."""
    hits, gold, predicted = found.T
    low, high = bootstrap.interval(2 * hits / np.maximum(1, gold + predicted))
    return {**Matches(*found[0].tolist()).figures(), LOW: low, HIGH: high}


def matches(gold: list[Entity], predicted: list[Entity]) -> ByType:
    """Matches of one text by type; an entity that is given twice is right once.

    >>> matches([(0, 3, "PER")], [(0, 3, "PER"), (4, 9, "LOC")])
    {"LOC": Matches(0, 0, 1), "PER": Matches(1, 1, 1)}
    """
    in_both = Counter(gold) & Counter(predicted)
    hits, wanted, given = (
        Counter(kind for _, _, kind in entities)
        for entities in (in_both.elements(), gold, predicted)
    )
    return {kind: Matches(hits[kind], wanted[kind], given[kind]) for kind in sorted(wanted | given)}


def gold_entities(serialized: bytes) -> list[Entity]:
    """The spans of a serialized tf.Example; none where its features are absent."""
    features = tf.train.Example.FromString(serialized).features.feature
    starts, ends, types = (features[name] for name in SPANS)
    return [
        (start, end, kind.decode("utf-8", "replace"))
        for start, end, kind in zip(
            starts.int64_list.value, ends.int64_list.value, types.bytes_list.value, strict=True
        )
    ]


def predicted_entities(outputs: Mapping[str, Any]) -> list[Entity]:
    """One row of the `examples` signature's outputs, its padding cut off.

    Args:
        outputs: `entity_starts`, `entity_ends`, `entity_types` [entities] and `n_entities`, a
            scalar or [1], all arrays.
    """
    count = int(outputs["n_entities"].ravel()[0])
    starts, ends, types = (
        outputs[name].ravel()[:count].tolist()
        for name in ("entity_starts", "entity_ends", "entity_types")
    )
    return [
        (start, end, kind.decode("utf-8", "replace"))
        for start, end, kind in zip(starts, ends, types, strict=True)
    ]
