"""Writes a TF 1-style SavedModel whose classify and regress signatures share one input tensor.

    python shared_input_model.py BASE_PATH

`tf.saved_model.save` never makes such a model; an Estimator's export did. The examples' feature
is `x`: class scores are [x, -x], the value is 2 x. `runs` counts the runs of the graph that read
examples. Beside the good signatures there is one for each way in which a signature can be unfit.
"""

import sys
from pathlib import Path
from typing import Any

import tensorflow as tf

v1 = tf.compat.v1
CLASSIFY, REGRESS, PREDICT = (
    f"tensorflow/serving/{method}" for method in ("classify", "regress", "predict")
)


def signatures() -> dict[str, Any]:
    """The graph, in the default one."""
    runs = v1.get_variable("runs", [], tf.int64, v1.zeros_initializer(), use_resource=True)
    examples = v1.placeholder(tf.string, [None], "examples")
    others = v1.placeholder(tf.string, [None], "others")
    with tf.control_dependencies([runs.assign_add(1)]):
        counted = tf.identity(examples)
    x = _feature(counted)
    scores = tf.stack([x, -x], axis=1)
    classes = tf.repeat([["plus", "minus"]], tf.size(x), axis=0)
    shared, other = {"inputs": examples}, {"inputs": others}
    steps = v1.placeholder(tf.int64, [], "steps")
    return {
        "classify": _signature(CLASSIFY, shared, classes=classes, scores=scores),
        "classes": _signature(CLASSIFY, shared, classes=classes),
        "scores": _signature(CLASSIFY, shared, scores=scores),
        "regress": _signature(REGRESS, shared, outputs=2 * x),
        "column": _signature(REGRESS, shared, outputs=2 * x[:, tf.newaxis]),
        "elsewhere": _signature(REGRESS, other, outputs=_feature(others)),
        "not finite": _signature(REGRESS, shared, outputs=x / 0),
        "flat": _signature(CLASSIFY, shared, scores=x),
        "integers": _signature(CLASSIFY, shared, scores=tf.cast(scores, tf.int64)),
        "uneven": _signature(CLASSIFY, shared, classes=classes, scores=scores[:, :1]),
        "one row": _signature(CLASSIFY, shared, scores=scores[:1]),
        "misnamed": _signature(CLASSIFY, shared, score=scores),
        "named x": _signature(CLASSIFY, {"x": examples}, scores=scores),
        "two inputs": _signature(CLASSIFY, {"inputs": examples, "more": others}, scores=scores),
        "three outputs": _signature(CLASSIFY, shared, classes=classes, scores=scores, more=x),
        "matrix": _signature(REGRESS, shared, outputs=scores),
        "one value": _signature(REGRESS, shared, outputs=x[:1]),
        "integer": _signature(REGRESS, shared, outputs=tf.cast(x, tf.int64)),
        "output": _signature(REGRESS, shared, output=x),
        "two outputs": _signature(REGRESS, shared, outputs=x, more=x),
        "runs": _signature(PREDICT, {}, runs=runs.read_value()),
        "spin": _signature(PREDICT, {"inputs": examples, "steps": steps}, x=_spin(x, steps)),
    }


def _feature(serialized: tf.Tensor) -> tf.Tensor:
    return tf.io.parse_example(serialized, {"x": tf.io.FixedLenFeature([], tf.float32)})["x"]


def _spin(x: tf.Tensor, steps: tf.Tensor) -> tf.Tensor:
    """`x` after so many steps of work."""
    count = v1.while_loop(lambda i: i < steps, lambda i: i + 1, [tf.constant(0, tf.int64)])
    return x + 0 * tf.cast(count, tf.float32)


def _signature(method: str, inputs: dict[str, tf.Tensor], **outputs: tf.Tensor) -> Any:
    info = v1.saved_model.utils.build_tensor_info
    return v1.saved_model.signature_def_utils.build_signature_def(
        {name: info(tensor) for name, tensor in inputs.items()},
        {name: info(tensor) for name, tensor in outputs.items()},
        method,
    )


def write(folder: Path) -> None:
    """Exports the model as a version."""
    with v1.Session(graph=tf.Graph()) as session, session.graph.as_default():
        made = signatures()
        session.run(v1.global_variables_initializer())
        builder = v1.saved_model.Builder(str(folder))
        builder.add_meta_graph_and_variables(session, ["serve"], signature_def_map=made)
        builder.save()


if __name__ == "__main__":
    write(Path(sys.argv[1]) / "1")
