"""What TFMA measures, and what binds.

TFMA evaluates the model's `classify` signature with the raw string label: it maps a string label to
a class only through outputs called `classes` and `scores`. The input is the serialized Example, so
no name can make TFMA feed the label as text.
"""

import tensorflow_model_analysis as tfma
from google.protobuf import wrappers_pb2

from pipeline.recipe import Gate

# TFMA gives accuracies as float32: 44 right of 50 are 0.87999999523, which are to pass at 0.88. One
# text weighs more than this in any test split of less than a million.
_ROUNDING = 1e-6


def eval_config(gate: Gate, label: str) -> tfma.EvalConfig:
    """The Evaluator's configuration for a classifier.

    Args:
        gate: the recipe's bounds. The whole test split is bound; slices bind where they say so.
        label: name of the raw label column.
    """
    bounds = gate.slice_bounds()
    accuracy = tfma.MetricConfig(
        class_name="SparseCategoricalAccuracy",
        config='{"name": "accuracy"}',
        per_slice_thresholds=[
            tfma.PerSliceMetricThreshold(
                slicing_specs=[tfma.SlicingSpec()],
                threshold=_threshold(gate.accuracy.at_least, gate.accuracy.may_drop),
            ),
            *(
                tfma.PerSliceMetricThreshold(
                    slicing_specs=[tfma.SlicingSpec(feature_keys=[column])],
                    threshold=_threshold(at_least, None),
                )
                for column, at_least in bounds.items()
                if at_least is not None
            ),
        ],
    )
    model = {"signature_name": "classify", "label_key": label}
    return tfma.EvalConfig(
        model_specs=[tfma.ModelSpec(**model)],
        metrics_specs=[
            tfma.MetricsSpec(metrics=[accuracy, tfma.MetricConfig(class_name="ExampleCount")])
        ],
        slicing_specs=[
            tfma.SlicingSpec(),
            *(tfma.SlicingSpec(feature_keys=[column]) for column in bounds),
        ],
    )


def _threshold(at_least: float, may_drop: float | None) -> tfma.MetricThreshold:
    threshold = tfma.MetricThreshold(
        value_threshold=tfma.GenericValueThreshold(
            lower_bound=wrappers_pb2.DoubleValue(value=at_least - _ROUNDING)
        )
    )
    if may_drop is not None:
        threshold.change_threshold.CopyFrom(
            tfma.GenericChangeThreshold(
                direction=tfma.MetricDirection.HIGHER_IS_BETTER,
                absolute=wrappers_pb2.DoubleValue(value=-may_drop - _ROUNDING),
            )
        )
    return threshold
