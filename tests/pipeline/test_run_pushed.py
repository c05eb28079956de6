"""The pushed folder: whole in itself, silent about where it was made, answering all it is sent."""

import json
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from runs import Project

pytestmark = pytest.mark.slow


def test_no_byte_tells_where_it_was_made(pushed: Project) -> None:
    places = {
        str(pushed.folder / "out" / "tiny" / "artifacts"), str(pushed.folder), os.getcwd(),
        str(Path.home()), tempfile.gettempdir(), socket.gethostname(), pushed.folder.name,
    }  # fmt: skip
    files = [file for file in pushed.model.rglob("*") if file.is_file()]
    assert {"saved_model.pb", "vocab.txt", "rawbert.json"} <= {file.name for file in files}
    told = [
        (file.relative_to(pushed.model), place)
        for file in files
        for place in places
        if len(place) >= 4 and place.encode() in file.read_bytes()
    ]
    assert not told


# A model server has none of these. TensorFlow itself imports keras while it is imported: what is
# there by then is dropped, what comes after is refused.
ALONE = """\
import json, sys
import tensorflow as tf
import tensorflow_text

BANNED = {"keras", "tf_keras", "tensorflow_transform", "tfx", "trainer", "components", "pipeline"}
for name in [name for name in sys.modules if name.split(".")[0] in BANNED]:
    del sys.modules[name]

class Ban:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in BANNED:
            raise ImportError(f"banned: {name}")

sys.meta_path.insert(0, Ban())
try:
    import keras
    sys.exit("the ban does not hold")
except ImportError:
    pass
with tf.compat.v1.Session(graph=tf.Graph()) as session:
    meta = tf.compat.v1.saved_model.load(session, ["serve"], sys.argv[1])
    signature = meta.signature_def["serving_default"]
    fetch = {key: value.name for key, value in signature.outputs.items()}
    answer = session.run(fetch, {signature.inputs["text"].name: sys.argv[2:]})
print(json.dumps([label.decode() for label in answer["label"]]))
"""


def test_it_answers_where_nothing_of_ours_is(
    pushed: Project, model_copy: Callable[[], Path], tmp_path: Path
) -> None:
    model = model_copy()
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    texts = ["A bright, warm and funny film.", "A dull, cold and stale plot."]
    hidden = pushed.folder.with_name("hidden")
    pushed.folder.rename(hidden)
    try:
        done = subprocess.run(
            [sys.executable, "-c", ALONE, str(model), *texts],
            cwd=elsewhere, capture_output=True, text=True,
        )  # fmt: skip
    finally:
        hidden.rename(pushed.folder)
    assert done.returncode == 0, done.stderr[-3000:]
    assert json.loads(done.stdout.splitlines()[-1]) == ["fresh", "rotten"]


ODD = {
    "empty": b"",
    "blanks": b" \t\n ",
    "100 kB": b"a bright film " * 7_500,
    "one word of 100 kB": b"x" * 100_000,
    "invalid UTF-8": b"a \xff\xfe film \xc3",
    "NUL": b"a\0b \0 film",
    "right to left": "סרט מצוין ‏فيلم رائع".encode(),
    "emoji": "a 👩‍👩‍👧‍👦 film 🎬🏽".encode(),
    "combining mark alone": "\u0301".encode(),
    "unassigned": "\U000e0080 \u0378".encode(),
}
OF_TEXT = ("serving_default", "tokenize", "embed")


def assert_sound(answer: dict[str, np.ndarray]) -> None:
    for key, value in answer.items():
        if value.dtype.kind == "f":
            assert np.isfinite(value).all(), key
        elif value.dtype.kind not in "iu":
            for one in value.ravel():
                bytes(one).decode("utf-8")


@pytest.mark.parametrize("signature", OF_TEXT)
@pytest.mark.parametrize("text", ODD.values(), ids=ODD.keys())
def test_odd_texts_are_answered(served: Any, text: bytes, signature: str) -> None:
    answer = served.predict_arrays([text], signature)
    assert all(len(value) == 1 for value in answer.values())
    assert_sound(answer)


def test_odd_texts_do_not_disturb_their_neighbours(served: Any) -> None:
    together = served.predict_arrays(list(ODD.values()))["scores"]
    alone = [served.predict_arrays([text])["scores"][0] for text in ODD.values()]
    np.testing.assert_allclose(together, alone, atol=1e-5)


@pytest.mark.parametrize("signature", OF_TEXT)
def test_no_rows_are_answered(served: Any, signature: str) -> None:
    answer = served.predict_arrays([], signature)
    assert answer
    assert all(len(value) == 0 for value in answer.values())


@pytest.mark.parametrize(
    ("signature", "key"),
    [("examples", "examples"), ("classify", "inputs"), ("transform_features", "examples")],
)
def test_no_examples_are_answered(served: Any, signature: str, key: str) -> None:
    answer = served.predict_arrays({key: []}, signature)
    assert answer
    assert all(len(value) == 0 for value in answer.values())


def test_truncation_is_counted(served: Any) -> None:
    texts = ["the " * 10, "the " * 14, "the " * 15, "the " * 40]
    answer = served.predict_arrays(texts, "tokenize")
    assert answer["n_pieces"].tolist() == [12, 16, 16, 16]
    assert answer["dropped_tokens"].tolist() == [0, 0, 1, 26]
    assert served.predict_arrays(texts)["dropped_tokens"].tolist() == [0, 0, 1, 26]


def test_offsets_point_into_the_callers_text(served: Any) -> None:
    text = "Ein É, a bright Film."
    [row] = served.predict([text], "tokenize")
    spans = zip(row["pieces"], row["starts"], row["ends"], strict=True)
    shown = {piece: text.encode()[start:end].decode() for piece, start, end in spans}
    assert shown["bright"] == "bright"
    assert shown["film"] == "Film"
    assert shown["[CLS]"] == shown["[SEP]"] == ""


def test_warm_up_requests_for_each_length(pushed: Project) -> None:
    import tensorflow as tf
    from tensorflow_serving.apis import prediction_log_pb2

    file = pushed.model / "assets.extra" / "tf_serving_warmup_requests"
    sizes = set()
    for record in tf.data.TFRecordDataset(str(file)).as_numpy_iterator():
        request = prediction_log_pb2.PredictionLog.FromString(record).predict_log.request
        texts = tf.make_ndarray(request.inputs["text"])
        sizes.add((len(texts), len(texts[0].split()) + 2))
    assert sizes == {(1, 2), (32, 2), (1, 16), (32, 16)}
