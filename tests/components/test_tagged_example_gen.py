"""Tagged files through the real components: Examples, statistics, schema, the validator."""

import json

import pytest
import tensorflow as tf

from components.data_report import DataReport
from components.readers.fingerprint import fingerprint
from trainer.errors import BadInput

NODES = ["TextExampleGen", "StatisticsGen", "TextSchemaGen", "ExampleValidator"]
OFFSETS = ["span_starts", "span_ends", "word_starts", "word_ends"]


def conll(path, sentences):
    """Sentences are like "San/B-LOC José/I-LOC ist/O"."""
    blocks = ["\n".join(word.replace("/", " ") for word in s.split()) for s in sentences]
    path.write_text("-DOCSTART- O\n\n" + "\n\n".join(blocks) + "\n", encoding="utf-8")
    return str(path)


def jsonl(path, rows):
    lines = [json.dumps({"text": text, "entities": spans}) for text, spans in rows]
    path.write_text("\n".join(lines), encoding="utf-8")
    return str(path)


@pytest.fixture
def validate(run_pipeline, newest):
    """Runs the data's part of the pipeline; gives (states, error, artifact folders by node)."""

    def run(path, **tags):
        import tensorflow_data_validation as tfdv
        from tfx.components import StatisticsGen

        from components.example_validator import ExampleValidator
        from components.text_example_gen import TextExampleGen
        from components.text_schema_gen import TextSchemaGen

        data = {"path": path, "text": "text", "label": "entities", "task": "tag", "tags": tags}
        examples = TextExampleGen(json.dumps(data), fingerprint(data))
        statistics = StatisticsGen(
            examples=examples.outputs["examples"],
            stats_options=tfdv.StatsOptions(use_sketch_based_topk_uniques=True),
        )
        schema = TextSchemaGen(statistics.outputs["statistics"], "text", spans=True)
        validator = ExampleValidator(
            statistics=statistics.outputs["statistics"], schema=schema.outputs["schema"]
        )
        states, error = run_pipeline([examples, statistics, schema, validator])
        outputs = {"TextExampleGen": "examples", "TextSchemaGen": "schema"}
        folders = {
            node: newest(node, output)
            for node, output in outputs.items()
            if dict(states).get(node) == "COMPLETE"
        }
        return states, error, folders

    return run


def read_split(folder):
    files = sorted(str(path) for path in folder.iterdir())
    raws = tf.data.TFRecordDataset(files, compression_type="GZIP").as_numpy_iterator()
    return [tf.train.Example.FromString(raw).features.feature for raw in raws]


def cut(features, starts, ends):
    """What a row's byte offsets cut out of its text."""
    text = features["text"].bytes_list.value[0]
    both = zip(features[starts].int64_list.value, features[ends].int64_list.value, strict=True)
    return [text[start:end].decode() for start, end in both]


def entities(features):
    types = [value.decode() for value in features["span_types"].bytes_list.value]
    return list(zip(cut(features, "span_starts", "span_ends"), types, strict=True))


TRAIN = ["San/B-LOC José/I-LOC ist/O da/O", "厦/B-LOC 门/I-LOC ，/O Ann/B-PER", "nichts/O hier/O"]


def parsed_as_sparse(folder):
    """The schema's feature spec, and that an Example with a text alone can be parsed by it."""
    import tensorflow_transform as tft
    from tfx.utils import io_utils

    schema = io_utils.SchemaReader().read(str(folder / "schema.pbtxt"))
    spec = tft.tf_metadata.schema_utils.schema_as_feature_spec(schema).feature_spec
    assert spec == {
        "text": tf.io.FixedLenFeature([], tf.string),
        "span_types": tf.io.VarLenFeature(tf.string),
        **dict.fromkeys(OFFSETS, tf.io.VarLenFeature(tf.int64)),
    }
    text = tf.train.Feature(bytes_list=tf.train.BytesList(value=[b"hi"]))
    alone = tf.train.Example(features=tf.train.Features(feature={"text": text}))
    assert tf.io.parse_example([alone.SerializeToString()], spec)["span_starts"].shape == (1, 0)
    (types,) = [feature for feature in schema.feature if feature.name == "span_types"]
    return list(types.string_domain.value)


def test_conll_to_examples_and_back(tmp_path, validate):
    path = {
        "train": conll(tmp_path / "train.conll", TRAIN),
        "eval": conll(tmp_path / "eval.conll", ["Ann/B-PER schläft/O"]),
        "test": conll(tmp_path / "test.conll", ["niemand/O"]),
    }
    states, error, folders = validate(path)
    assert (error, states) == (None, [(node, "COMPLETE") for node in NODES])
    rows = read_split(folders["TextExampleGen"] / "Split-train")
    assert {tuple(sorted(row)) for row in rows} == {tuple(sorted([*OFFSETS, "span_types", "text"]))}
    assert [entities(row) for row in rows] == [
        [("San José", "LOC")],
        [("厦门", "LOC"), ("Ann", "PER")],
        [],
    ]
    assert cut(rows[1], "word_starts", "word_ends") == ["厦", "门", "，", "Ann"]
    assert rows[1]["text"].bytes_list.value[0].decode() == "厦门， Ann"
    report = DataReport.from_json((folders["TextExampleGen"] / "report.json").read_text())
    assert report.entities["train"] == {"LOC": 2, "PER": 1}
    assert report.words == {"train": 10, "eval": 2, "test": 1}
    assert parsed_as_sparse(folders["TextSchemaGen"]) == ["LOC", "PER"]


def test_spans_without_words(tmp_path, validate):
    rows = [("Ann mag Köln", [[0, 3, "PER"], [8, 12, "LOC"]]), ("nichts", [])]
    path = {name: jsonl(tmp_path / f"{name}.jsonl", rows) for name in ("train", "eval", "test")}
    path["test"] = jsonl(tmp_path / "test.jsonl", rows[1:])
    states, error, folders = validate(path)
    assert (error, states) == (None, [(node, "COMPLETE") for node in NODES])
    first, _ = read_split(folders["TextExampleGen"] / "Split-eval")
    assert entities(first) == [("Ann", "PER"), ("Köln", "LOC")]
    assert cut(first, "word_starts", "word_ends") == []
    assert parsed_as_sparse(folders["TextSchemaGen"]) == ["LOC", "PER"]


def test_a_type_that_train_lacks_stops_in_the_validator(tmp_path, validate):
    path = {
        "train": conll(tmp_path / "train.conll", TRAIN),
        "eval": conll(tmp_path / "eval.conll", ["Ann/B-PER"]),
        "test": conll(tmp_path / "test.conll", ["IBM/B-ORG"]),
    }
    states, error, _ = validate(path)
    assert states[-1] == ("ExampleValidator", "FAILED")
    assert isinstance(error, BadInput)
    for part in ("test: column 'span_types'", "ORG", "type of entity has to occur in train"):
        assert part in str(error)


REFUSED = {
    "no entity": (["a/O b/O"], {}, "there is no entity in the 1 rows of train"),
    "illegal": ([*TRAIN, "a/O b/I-LOC"], {}, "train.conll:17: 1 of 6 rows are bad.*after O"),
    "no scheme": (["a/LOC b/PER"], {}, "train.conll:3: the tags are of no known scheme"),
    "another scheme": (
        TRAIN,
        {"scheme": "bioes"},
        "train.conll:5: .*line 5: O after I-LOC is not bioes",
    ),
}


@pytest.mark.parametrize("sentences, tags, message", REFUSED.values(), ids=REFUSED)
def test_refused_before_there_are_statistics(tmp_path, validate, sentences, tags, message):
    path = {
        "train": conll(tmp_path / "train.conll", sentences),
        "eval": conll(tmp_path / "eval.conll", ["b/O"]),
        "test": conll(tmp_path / "test.conll", ["c/O"]),
    }
    states, error, _ = validate(path, **tags)
    assert states == [("TextExampleGen", "FAILED")]
    with pytest.raises(BadInput, match=message):
        raise error


def test_illegal_tags_are_repaired_when_asked(tmp_path, validate):
    path = {
        "train": conll(tmp_path / "train.conll", [*TRAIN, "a/O b/I-LOC c/I-PER"]),
        "eval": conll(tmp_path / "eval.conll", ["b/O"]),
        "test": conll(tmp_path / "test.conll", ["c/O"]),
    }
    _, error, folders = validate(path, repair=True)
    assert error is None
    *_, last = read_split(folders["TextExampleGen"] / "Split-train")
    assert entities(last) == [("b", "LOC"), ("c", "PER")]
    report = DataReport.from_json((folders["TextExampleGen"] / "report.json").read_text())
    assert (report.repaired, report.bad_rows) == ({"train": 2}, 0)
