"""No skew: what the pushed model does with a text is what training did with it.

The transformed examples are read as plain tf.train.Examples, the model is asked in a fresh process
over gRPC, and the head is rebuilt beside it from the checkpoint's arrays.
"""

from typing import Any

import numpy as np
import pytest
from runs import Ids, Project, examples_in, predicted, served_ids

pytestmark = pytest.mark.slow

Row = tuple[bytes, bytes]  # text and label


@pytest.fixture(scope="session")
def test_rows(pushed: Project) -> list[Row]:
    """Text and label of the whole test split."""
    raw = [
        e.features.feature
        for e in examples_in(pushed.artifact("TextExampleGen", "examples"), "test")
    ]
    rows = [(f["text"].bytes_list.value[0], f["category"].bytes_list.value[0]) for f in raw]
    assert len(rows) > 20
    return rows


@pytest.fixture(scope="session")
def texts(test_rows: list[Row]) -> list[bytes]:
    return [text for text, _ in test_rows]


@pytest.fixture(scope="session")
def trained_on(pushed: Project) -> Ids:
    """The ids that Transform made of the test split."""
    folder = pushed.artifact("Transform", "transformed_examples")
    rows = [example.features.feature for example in examples_in(folder, "test")]
    return [tuple(row["input_word_ids"].int64_list.value) for row in rows]


def test_ids_served_are_the_ids_trained_on(
    served: Any, texts: list[bytes], trained_on: Ids
) -> None:
    assert sorted(served_ids(served, texts)) == sorted(trained_on)


def test_a_swapped_vocabulary_line_is_skew(
    model_copy: Any, texts: list[bytes], trained_on: Ids
) -> None:
    from serving.client import Client
    from serving.server.process import spawn

    model = model_copy()
    vocabulary = model / "assets" / "vocab.txt"
    lines = vocabulary.read_text().splitlines()
    one, other = lines.index("film"), lines.index("plot")
    lines[one], lines[other] = lines[other], lines[one]
    vocabulary.write_text("\n".join(lines) + "\n")
    with spawn(model, name="tiny") as server, Client(server.target, name="tiny") as client:
        assert sorted(served_ids(client, texts)) != sorted(trained_on)


@pytest.fixture(scope="session")
def classifier(pushed: Project) -> Any:
    """The classifier, built anew, with the arrays of the pushed model's checkpoint."""
    import tensorflow as tf

    from trainer.model.classifier import build_classifier

    encoder = pushed.artifact("EncoderImporter", "model") / "Format-Serving"
    built = build_classifier(str(encoder), classes=2, seed=0)
    reader = tf.train.load_checkpoint(str(pushed.model / "variables" / "variables"))
    for number, variable in enumerate(built.variables):
        variable.assign(reader.get_tensor(f"_variables/{number}/.ATTRIBUTES/VARIABLE_VALUE"))
    return built


def encoder_inputs(client: Any, texts: list[bytes]) -> dict[str, np.ndarray]:
    answer = client.predict_arrays(texts, "tokenize")
    places = np.arange(answer["input_word_ids"].shape[1])
    return {
        "input_word_ids": answer["input_word_ids"],
        "input_mask": (places < answer["n_pieces"][:, None]).astype(np.int32),
        "input_type_ids": answer["input_type_ids"],
    }


def softmax(logits: np.ndarray) -> np.ndarray:
    powers = np.exp(logits - logits.max(-1, keepdims=True))
    return powers / powers.sum(-1, keepdims=True)


def test_scores_are_the_head_on_the_ids_of_tokenize(
    served: Any, texts: list[bytes], classifier: Any
) -> None:
    logits = np.asarray(classifier(encoder_inputs(served, texts)))
    scores = served.predict_arrays(texts)["scores"]
    assert np.ptp(scores[:, 0]) > 0.01
    np.testing.assert_allclose(scores, softmax(logits), atol=1e-5)


def test_embed_averages_the_encoder_over_real_positions(
    served: Any, texts: list[bytes], classifier: Any
) -> None:
    inputs = encoder_inputs(served, texts)
    encoded = classifier.encoder(*inputs.values())
    rows = zip(np.asarray(encoded.sequence), inputs["input_mask"].sum(1), strict=True)
    means = np.stack([sequence[:real].mean(0) for sequence, real in rows])
    answer = served.predict_arrays(texts, "embed")
    np.testing.assert_allclose(answer["mean"], means, atol=1e-5)
    np.testing.assert_allclose(answer["pooled"], np.asarray(encoded.pooled), atol=1e-5)


def test_the_evaluators_accuracy_is_what_predict_gives(
    pushed: Project, test_rows: list[Row]
) -> None:
    from pipeline import outcome

    answers = predicted(pushed.model, [text.decode() for text, _ in test_rows])
    right = [a["label"] == label.decode() for a, (_, label) in zip(answers, test_rows, strict=True)]
    [whole] = [one for one in outcome.read(pushed.first.components).slices if not one.slice]
    assert whole.examples == len(test_rows)
    assert whole.value == pytest.approx(np.mean(right), abs=1e-6)


def as_example(text: bytes, **others: bytes) -> bytes:
    import tensorflow as tf

    example = tf.train.Example()
    for name, value in {"text": text, **others}.items():
        example.features.feature[name].bytes_list.value.append(value)
    return example.SerializeToString()


def test_an_example_with_the_text_alone_is_answered(served: Any, texts: list[bytes]) -> None:
    bare = [as_example(text) for text in texts]
    scores = served.predict_arrays(texts)["scores"]
    by_examples = served.predict_arrays({"examples": bare}, "examples")
    np.testing.assert_allclose(by_examples["scores"], scores, atol=1e-6)
    classes = served.predict_arrays({"inputs": bare}, "classify")
    np.testing.assert_allclose(classes["scores"], scores, atol=1e-6)
    features = served.predict_arrays({"examples": bare}, "transform_features")
    assert features["label"].tolist() == [-1] * len(texts)
    ids = served.predict_arrays(texts, "tokenize")["input_word_ids"]
    np.testing.assert_array_equal(features["input_word_ids"], ids)


def test_transform_features_gives_the_label_of_training(
    served: Any, pushed: Project, test_rows: list[Row]
) -> None:
    folder = pushed.artifact("Transform", "transformed_examples")
    trained = [e.features.feature["label"].int64_list.value[0] for e in examples_in(folder, "test")]
    whole = [as_example(text, category=label) for text, label in test_rows]
    asked = served.predict_arrays({"examples": whole}, "transform_features")["label"].tolist()
    assert sorted(asked) == sorted(trained)
    labels = served.predict_arrays([b"any"])["labels"][0].tolist()
    assert [labels[number] for number in asked] == [label for _, label in test_rows]
