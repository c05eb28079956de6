"""From files to a schema, and the validator that stops: real components, real metadata."""

import json

import pytest
from tensorflow_metadata.proto.v0 import schema_pb2, statistics_pb2

from components.readers.fingerprint import fingerprint
from trainer.errors import BadInput

NODES = ["TextExampleGen", "StatisticsGen", "TextSchemaGen", "ExampleValidator"]


def csv_file(path, content, header="text,label,source"):
    path.write_text("\n".join([header, *(",".join(row) for row in content)]) + "\n")
    return str(path)


def rows(count, labels=2, prefix="text"):
    return [(f"{prefix} {i}", f"class {i % labels:03d}", f"s{i % 2}") for i in range(count)]


@pytest.fixture
def validate(tmp_path, run_pipeline, newest):
    """Runs the data's part of the pipeline; gives (states, error, schema or None)."""

    def run(train, evaluation, test=None, curated=None):
        import tensorflow_data_validation as tfdv
        from tfx.components import StatisticsGen
        from tfx.components.schema_gen.import_schema_gen.component import ImportSchemaGen
        from tfx.utils import io_utils

        from components.example_validator import ExampleValidator
        from components.text_example_gen import TextExampleGen
        from components.text_schema_gen import TextSchemaGen

        files = {"train": train, "eval": evaluation, "test": test or rows(20, prefix="test")}
        path = {split: csv_file(tmp_path / f"{split}.csv", found) for split, found in files.items()}
        data = {"path": path, "text": "text", "label": "label", "columns": ["source"]}
        examples = TextExampleGen(json.dumps(data), fingerprint(data))
        statistics = StatisticsGen(
            examples=examples.outputs["examples"],
            stats_options=tfdv.StatsOptions(use_sketch_based_topk_uniques=True),
        )
        schema = (
            ImportSchemaGen(schema_file=str(curated))
            if curated
            else TextSchemaGen(statistics.outputs["statistics"], "text", "label", ["source"])
        )
        validator = ExampleValidator(
            statistics=statistics.outputs["statistics"], schema=schema.outputs["schema"]
        )
        states, error = run_pipeline([examples, statistics, schema, validator])
        done = dict(states).get(schema.id) in ("COMPLETE", "CACHED")
        file = done and newest(schema.id, "schema") / "schema.pbtxt"
        return states, error, io_utils.SchemaReader().read(str(file)) if done else None

    return run


def features(schema):
    return {feature.name: feature for feature in schema.feature}


def test_good_data_passes_and_is_cached(validate):
    good = rows(150, labels=120), rows(40, labels=40, prefix="eval")
    states, error, schema = validate(*good)
    assert error is None
    assert states == [(node, "COMPLETE") for node in NODES]
    by_name = features(schema)
    assert len(by_name["label"].string_domain.value) == 120
    assert not by_name["text"].HasField("string_domain") and not by_name["text"].domain
    assert not by_name["source"].HasField("string_domain") and not by_name["source"].domain
    text_is_required_and_label_and_slice_may_be_absent(schema)
    states, error, _ = validate(*good)
    assert (error, states[4:]) == (None, [(node, "CACHED") for node in NODES])


def text_is_required_and_label_and_slice_may_be_absent(schema):
    import tensorflow as tf
    import tensorflow_transform as tft
    from tfx_bsl.tfxio import tensor_representation_util

    spec = tft.tf_metadata.schema_utils.schema_as_feature_spec(schema).feature_spec
    assert spec == {
        "text": tf.io.FixedLenFeature([], tf.string),
        "label": tf.io.VarLenFeature(tf.string),
        "source": tf.io.VarLenFeature(tf.string),
    }
    kinds = tensor_representation_util.InferTensorRepresentationsFromSchema(schema)
    assert {name: kind.WhichOneof("kind") for name, kind in kinds.items()} == {
        "text": "dense_tensor",
        "label": "varlen_sparse_tensor",
        "source": "varlen_sparse_tensor",
    }
    parsed = tf.io.parse_example([text_only("hi")], spec)
    assert parsed["text"].numpy() == [b"hi"] and parsed["label"].shape[1] == 0


def test_labels_that_train_lacks_stop_the_run_again_and_again(validate):
    odd = [("odd", "class 777", "s0")]
    bad = rows(40), rows(10, prefix="eval") + odd, rows(10, prefix="test") + odd
    states, error, _ = validate(*bad)
    assert states[-1] == ("ExampleValidator", "FAILED")
    assert isinstance(error, BadInput)
    for part in ("the eval split", "test: column 'label'", "class 777", "has to occur in train"):
        assert part in str(error)
    states, error, _ = validate(*bad)
    assert states[4:] == [(node, "CACHED") for node in NODES[:3]] + [(NODES[3], "FAILED")]
    assert isinstance(error, BadInput)


def test_a_new_slice_value_and_one_constant_text_are_no_anomalies(validate):
    train = [("same", f"class {i % 2:03d}", "s0") for i in range(20)]
    _, error, _ = validate(train, [("other", "class 000", "s9")])
    assert error is None


def label_statistics(unique, listed):
    statistics = statistics_pb2.DatasetFeatureStatistics()
    string_stats = statistics.features.add(name="label").string_stats
    string_stats.unique = unique
    for number in range(listed):
        string_stats.rank_histogram.buckets.add(label=f"class {number}")
    return statistics


def test_one_class_is_refused():
    from components.text_schema_gen import label_values

    assert label_values(label_statistics(2, 2), "label") == ["class 0", "class 1"]
    with pytest.raises(BadInput, match=r"one class only \('class 0'\)"):
        label_values(label_statistics(1, 1), "label")


def test_more_labels_than_the_statistics_hold_give_no_domain():
    from components.text_schema_gen import describe_label, label_values

    feature = schema_pb2.Feature(name="label")
    describe_label(feature, label_values(label_statistics(1001, 1000), "label"))
    assert not feature.HasField("string_domain")


def text_only(text):
    import tensorflow as tf

    value = tf.train.Feature(bytes_list=tf.train.BytesList(value=[text.encode()]))
    return tf.train.Example(features=tf.train.Features(feature={"text": value})).SerializeToString()


CURATED = """
feature { name: "text" type: BYTES shape {} presence { min_fraction: 1 min_count: 1 } }
feature { name: "label" type: BYTES value_count { min: 1 max: 1 }
          presence { min_fraction: 1 min_count: 1 }
          string_domain { value: "class 000" value: "class 001" value: "class 002" } }
feature { name: "source" type: BYTES value_count { max: 1 } }
"""


def test_a_curated_schema_decides(tmp_path, validate):
    data = rows(20, labels=4), rows(6, prefix="eval")
    curated = tmp_path / "schema.pbtxt"
    curated.write_text(CURATED)
    states, error, schema = validate(*data, curated=curated)
    assert states[-1] == ("ExampleValidator", "FAILED")
    assert "train: column 'label'" in str(error) and "class 003" in str(error)
    assert isinstance(schema, schema_pb2.Schema) and len(schema.feature) == 3
    wider = tmp_path / "wider.pbtxt"
    wider.write_text(CURATED.replace('value: "class 002"', 'value: "class 002" value: "class 003"'))
    states, error, _ = validate(*data, curated=wider)
    assert (error, states[-1]) == (None, ("ExampleValidator", "COMPLETE"))
