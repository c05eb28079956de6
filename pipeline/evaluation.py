"""What TFMA measures, and what binds.

A classifier is evaluated through its `classify` signature with the raw string label: TFMA maps a
string label to a class only through outputs called `classes` and `scores`. A tagger is evaluated
through `examples`, and a metric of ours reads the gold spans out of the raw Example. The input of
both is the serialized Example, so no name can make TFMA feed the label as text.
"""

import json
from pathlib import Path

from google.protobuf import wrappers_pb2

# Stack B's package itself does not have these names.
from tensorflow_model_analysis.proto import config_pb2

from components import entity_metrics
from components.evaluation_results import ACCURACY, ENTITY_F1
from pipeline.code_digest import code_digest
from pipeline.recipe import Bound, Gate

# TFMA gives accuracies as float32: 44 right of 50 are 0.87999999523, which are to pass at 0.88. One
# text weighs more than this in any test split of less than a million.
_ROUNDING = 1e-6


def eval_config(gate: Gate, label: str) -> config_pb2.EvalConfig:
    """The Evaluator's configuration, for a classifier or a tagger as the gate's metric says.

    Args:
        gate: the recipe's bounds. The whole test split is bound; slices bind where they say so.
        label: name of the raw label column; a tagger's gold entities need no name.
    """
    slices = gate.slice_bounds()
    metric = config_pb2.MetricConfig(
        **_METRIC[gate.metric],
        config=json.dumps({"name": gate.metric, **_OWN_CODE[gate.metric]}),
        per_slice_thresholds=_thresholds(gate.bound, slices),
    )
    model = {
        ACCURACY: {"signature_name": "classify", "label_key": label},
        ENTITY_F1: {"signature_name": "examples"},
    }[gate.metric]
    return config_pb2.EvalConfig(
        model_specs=[config_pb2.ModelSpec(**model)],
        metrics_specs=[
            config_pb2.MetricsSpec(
                metrics=[
                    metric,
                    config_pb2.MetricConfig(class_name="ExampleCount"),
                    *(config_pb2.MetricConfig(class_name=name) for name in _PLOTS[gate.metric]),
                ]
            )
        ],
        slicing_specs=[
            config_pb2.SlicingSpec(),
            *(config_pb2.SlicingSpec(feature_keys=[column]) for column in slices),
        ],
    )


_METRIC = {
    ACCURACY: {"class_name": "SparseCategoricalAccuracy"},
    ENTITY_F1: {
        "class_name": entity_metrics.EntityScores.__name__,
        "module": entity_metrics.__name__,
    },
}

# A change of our metric is a change of the configuration, and so of the Evaluator's cache key.
_OWN_CODE: dict[str, dict[str, str]] = {
    ACCURACY: {},
    ENTITY_F1: {
        "code": code_digest(
            "entity_metrics.py", "bootstrap.py", root=Path(entity_metrics.__file__).parent
        )
    },
}

# Which labels are taken for which: only the report reads it.
_PLOTS = {ACCURACY: ("MultiClassConfusionMatrixPlot",), ENTITY_F1: ()}


def _thresholds(
    bound: Bound, slices: dict[str, float | None]
) -> list[config_pb2.PerSliceMetricThreshold]:
    """The whole split's bound and those of the slices that have one."""
    whole = config_pb2.PerSliceMetricThreshold(
        slicing_specs=[config_pb2.SlicingSpec()],
        threshold=_threshold(bound.at_least, bound.may_drop),
    )
    return [
        whole,
        *(
            config_pb2.PerSliceMetricThreshold(
                slicing_specs=[config_pb2.SlicingSpec(feature_keys=[column])],
                threshold=_threshold(at_least, None),
            )
            for column, at_least in slices.items()
            if at_least is not None
        ),
    ]


def _threshold(at_least: float, may_drop: float | None) -> config_pb2.MetricThreshold:
    threshold = config_pb2.MetricThreshold(
        value_threshold=config_pb2.GenericValueThreshold(
            lower_bound=wrappers_pb2.DoubleValue(value=at_least - _ROUNDING)
        )
    )
    if may_drop is not None:
        threshold.change_threshold.CopyFrom(
            config_pb2.GenericChangeThreshold(
                direction=config_pb2.MetricDirection.HIGHER_IS_BETTER,
                absolute=wrappers_pb2.DoubleValue(value=-may_drop - _ROUNDING),
            )
        )
    return threshold
