"""The op check: what an older TensorFlow Serving does not know is found wherever it hides."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
import tensorflow as tf
import tensorflow_text as tf_text
from tensorflow.core.protobuf import saved_model_pb2

from serving.ops.check import check
from serving.ops.table import OpTable, UnknownRelease, releases

FLOATS = tf.TensorSpec([None], tf.float32, name="x")
STRINGS = tf.TensorSpec([None], tf.string, name="x")


def saved(folder: Path, function: Callable, spec: tf.TensorSpec = FLOATS) -> Path:
    """A SavedModel with one signature, one variable and the function."""
    module = tf.Module()
    module.variable = tf.Variable([1.0], name="weights")
    module.function = tf.function(lambda x: {"y": function(x)}, input_signature=[spec])
    signatures = {"serving_default": module.function}
    tf.saved_model.save(module, str(folder), signatures=signatures)
    return folder


def fill_rows(x):
    rows = tf.zeros_like(x, tf.int64)
    return tf.raw_ops.RaggedFillEmptyRows(
        value_rowids=rows, values=x, nrows=1, default_value=0.0
    ).output_values


def in_branch(x):
    return tf.cond(tf.size(x) > 9, lambda: fill_rows(x), lambda: x)


def in_loop(x):
    return tf.while_loop(
        lambda n, _: n < 1, lambda n, y: (n + 1, fill_rows(y)), [0, x],
        shape_invariants=[tf.TensorShape([]), tf.TensorShape([None])],
    )[1]  # fmt: skip


def in_nested_function(x):
    return tf.function(tf.function(fill_rows))(x)


def in_map(x):
    return tf.map_fn(lambda row: fill_rows(row[None])[0], x)


TOO_NEW = {
    "op": (fill_rows, "RaggedFillEmptyRows", "", "2.13"),
    "op in tf.cond": (in_branch, "RaggedFillEmptyRows", "", "2.13"),
    "op in tf.while_loop": (in_loop, "RaggedFillEmptyRows", "", "2.13"),
    "op in a nested function": (in_nested_function, "RaggedFillEmptyRows", "", "2.13"),
    "op in tf.map_fn": (in_map, "RaggedFillEmptyRows", "", "2.13"),
    "attribute": (
        lambda x: tf.raw_ops.MatMul(a=x[None], b=x[:, None], grad_a=True),
        "MatMul", "grad_a", "2.16",
    ),
    "attribute that changes a type": (
        lambda x: tf.raw_ops.TopKV2(input=x, k=1, index_type=tf.int64).indices,
        "TopKV2", "index_type", "2.13",
    ),
    "value of an attribute": (
        lambda x: tf.strings.as_string(tf.strings.as_string(x)), "AsString", "T", "2.13"
    ),
}  # fmt: skip


@pytest.mark.parametrize(("function", "op", "attribute", "since"), TOO_NEW.values(), ids=TOO_NEW)
def test_finds_what_is_too_new(tmp_path, function, op, attribute, since):
    model = saved(tmp_path, function)
    (finding,) = check(model, "2.12")
    assert (finding.op, finding.attribute, finding.since) == (op, attribute, since)
    assert finding.signatures == ("serving_default",)
    assert f'"{since}"' in finding.fix
    assert check(model, since) == []


def test_text_ops_are_those_that_the_release_links(tmp_path):
    def trim(x):
        tokens = tf_text.WhitespaceTokenizer().tokenize(x)
        return tf_text.RoundRobinTrimmer(4).trim([tokens])[0].to_tensor()

    model = saved(tmp_path, trim, STRINGS)
    for release in ("2.12", "2.19"):
        (finding,) = check(model, release)
        assert (finding.op, finding.since) == ("TFText>RoundRobinTrim", "2.20")
    assert check(model, "2.20") == []


NO_SERVER = {
    "Python function": (lambda x: tf.py_function(lambda v: v, [x], tf.float32), "EagerPyFunc"),
    "no CPU kernel in any release": (
        lambda x: tf.raw_ops.SegmentMaxV2(data=x, segment_ids=[0], num_segments=1), "SegmentMaxV2"
    ),
    "GPU only": (lambda x: tf.raw_ops.NcclAllReduce(
        input=x, reduction="sum", num_devices=1, shared_name="all"), "NcclAllReduce"),
}  # fmt: skip


@pytest.mark.parametrize(("function", "op"), NO_SERVER.values(), ids=NO_SERVER)
def test_finds_what_no_cpu_server_runs(tmp_path, function, op):
    (finding,) = check(saved(tmp_path, function), "2.12")
    assert (finding.op, finding.since) == (op, None)


def test_finds_a_type_without_a_cpu_kernel(tmp_path):
    model = saved(tmp_path, lambda x: tf.sort(x))
    edit(model, "TopKV2", lambda node: node.attr["T"].CopyFrom(type_of(tf.complex64)))
    assert any("cannot be COMPLEX64" in finding.found for finding in check(model, "2.12"))
    edit(model, "TopKV2", lambda node: node.attr["T"].CopyFrom(type_of(tf.uint32)))
    assert check(model, "2.12") == []


def test_an_op_of_another_library_is_unknown(tmp_path):
    model = saved(tmp_path, tf.nn.relu)
    edit(model, "Relu", lambda node: setattr(node, "op", "Addons>Relu"))
    (finding,) = check(model, "2.20")
    assert finding.since is None
    assert "No release in the op table can run it" in finding.fix


# In the GPU wheels; the table is made from the CPU's.
OF_GPU_WHEELS = (
    "TRT", "CreateTRT", "InitializeTRT", "SerializeTRT", "GetCalibration", "_CopyFrom"
)  # fmt: skip

HARMLESS = {
    "default of a newer attribute": ("MatMul", "grad_a", tf.compat.v1.AttrValue(b=False)),
    "internal attribute": ("MatMul", "_anything", tf.compat.v1.AttrValue(b=True)),
}


@pytest.mark.parametrize(("op", "name", "value"), HARMLESS.values(), ids=HARMLESS)
def test_allows_what_changes_nothing(tmp_path, op, name, value):
    model = saved(tmp_path, lambda x: tf.matmul(x[None], x[:, None]))
    edit(model, op, lambda node: node.attr[name].CopyFrom(value))
    assert check(model, "2.12") == []


@pytest.mark.parametrize("release", releases())
def test_finds_kernels_that_a_string_attribute_limits(tmp_path, release):
    """GatherNd's, since 2.18: `bad_indices_policy` must be one of four names."""
    assert check(saved(tmp_path, lambda x: tf.gather_nd(x, [[0]])), release) == []


def test_allows_the_debug_names_of_variables(tmp_path):
    model = saved(tmp_path, tf.nn.relu)
    assert b"debug_name" in (model / "saved_model.pb").read_bytes()
    assert check(model, "2.12") == []


def test_counts_inputs_and_demands_attributes(tmp_path):
    model = saved(tmp_path, tf.nn.relu)
    edit(model, "Relu", lambda node: node.input.append(node.input[0]))
    assert "takes 1 inputs and gets 2" in check(model, "2.12")[0].found
    edit(model, "Relu", lambda node: (node.input.pop(), node.attr.pop("T")))
    assert [finding.attribute for finding in check(model, "2.12")] == ["T"]


def test_says_the_place_and_the_count(tmp_path):
    def twice(x):
        return fill_rows(x) + fill_rows(2.0 * x)

    (finding,) = check(saved(tmp_path, twice), "2.12")
    assert finding.nodes == 2
    place = (
        r"node RaggedFillEmptyRows(_1)? \(and 1 more\) in function \S+, reached by serving_default"
    )
    assert re.fullmatch(place, finding.where)


@pytest.mark.parametrize("release", ["2.11", "3.0", "latest"])
def test_a_release_without_a_table_is_named(release):
    with pytest.raises(UnknownRelease, match=rf"{release}.*2\.12, 2\.13.*2\.20"):
        OpTable(release)


def test_a_patch_release_counts_as_its_minor_release():
    assert OpTable("2.12.1").release == "2.12"


def test_the_table_knows_all_of_the_installed_tensorflow():
    """The table was made from wheels; here is one of them."""
    from serving.ops import dump

    installed = ".".join(tf.__version__.split(".")[:2])
    if installed not in releases():
        pytest.skip(f"no table for TensorFlow {installed}")
    table = OpTable(installed)
    core = {name: op for name, op in dump.registered_ops().items() if not name.startswith("TFText")}
    missing = [name for name in core if table.find(name) is None]
    assert [name for name in missing if not name.startswith(OF_GPU_WHEELS)] == []


def edit(model: Path, op: str, change: Callable) -> None:
    """Changes all nodes of an op in saved_model.pb."""
    path = model / "saved_model.pb"
    saved_model = saved_model_pb2.SavedModel.FromString(path.read_bytes())
    graph = saved_model.meta_graphs[0].graph_def
    nodes = [*graph.node, *(node for f in graph.library.function for node in f.node_def)]
    for node in nodes:
        if node.op == op:
            change(node)
    path.write_bytes(saved_model.SerializeToString())


def type_of(dtype: tf.DType) -> tf.compat.v1.AttrValue:
    return tf.compat.v1.AttrValue(type=dtype.as_datatype_enum)
