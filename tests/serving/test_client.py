"""Both clients at a real server: the same answers, the same errors."""

import asyncio
import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from serving import results
from serving.async_client import AsyncClient
from serving.client import Client
from serving.errors import Code, ServingError, Unreachable
from serving.results import Entity, Label, OtherTask

TEXTS = ["a good film", "film " * 12, "", "日"]


class Waited:
    """The async client, asked as the sync one is."""

    def __init__(self, target: str, **options: Any) -> None:
        self._loop = asyncio.new_event_loop()
        self._client = AsyncClient(target, **options)

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method = getattr(self._client, name)
        return lambda *args, **options: self._loop.run_until_complete(method(*args, **options))

    def __enter__(self) -> "Waited":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
        self._loop.close()


@pytest.fixture(params=[Client, Waited], ids=["sync", "async"])
def kind(request: pytest.FixtureRequest) -> Any:
    return request.param


@pytest.fixture
def asked(kind: Any, server: Any) -> Any:
    with kind(server.target, name="tiny") as client:
        yield client


def test_answers(asked: Any, client: Client) -> None:
    assert asked.predict(TEXTS) == client.predict(TEXTS)
    assert asked.predict(TEXTS, outputs=["label"])[0] == {"label": "rotten"}
    arrays = asked.predict_arrays({"text": TEXTS}, "tokenize")
    assert (
        arrays["n_pieces"].tolist() == client.predict_arrays(TEXTS, "tokenize")["n_pieces"].tolist()
    )
    assert asked.status() == {1: "AVAILABLE"}
    asked.wait(10)


def test_labels_are_typed_and_frozen(asked: Any) -> None:
    label = asked.labels(TEXTS)[1]
    row = asked.predict(TEXTS)[1]
    assert label == Label(
        row["label"], row["score"], dict(zip(row["labels"], row["scores"], strict=True)), 4
    )
    assert list(label.scores) == ["rotten", "fresh"]
    assert asked.labels([]) == []
    with pytest.raises(dataclasses.FrozenInstanceError):
        label.score = 1.0


@pytest.mark.parametrize("texts", [TEXTS, []], ids=["texts", "no texts"])
def test_a_model_of_the_other_task_says_what_it_has(asked: Any, texts: list[str]) -> None:
    with pytest.raises(OtherTask) as caught:
        asked.entities(texts)
    assert "serving_default gives no entities: it lacks entities, entity_types" in str(caught.value)
    assert "It has dropped_tokens, label, labels, score, scores." in str(caught.value)
    with pytest.raises(OtherTask, match=r"tokenize gives no labels: .* It has input_word_ids"):
        asked.labels(texts, "tokenize")


def test_entities_are_cut_by_their_number() -> None:
    def texts(*rows: list[bytes]) -> np.ndarray:
        return np.array(rows, dtype=object)

    outputs = {
        "tokens": texts([b"Ada", b"saw", "Zürich".encode()], [b"no", b"", b""]),
        "n_tokens": np.array([3, 1]),
        "entities": texts([b"Ada", "Zürich".encode()], [b"", b""]),
        "entity_types": texts([b"PER", b"LOC"], [b"", b""]),
        "entity_starts": np.array([[0, 8], [-1, -1]], np.int32),
        "entity_ends": np.array([[3, 15], [-1, -1]], np.int32),
        "entity_char_starts": np.array([[0, 8], [-1, -1]], np.int32),
        "entity_char_ends": np.array([[3, 14], [-1, -1]], np.int32),
        "entity_scores": np.array([[0.9, 0.8], [0, 0]], np.float32),
        "n_entities": np.array([2, 0]),
    }
    assert results.entities(outputs, "serving_default") == [
        [Entity("Ada", "PER", 0, 3, 0, 3, 0.9), Entity("Zürich", "LOC", 8, 15, 8, 14, 0.8)],
        [],
    ]
    with pytest.raises(OtherTask, match="it lacks label, score, labels, scores"):
        results.labels(outputs, "serving_default")


@pytest.mark.parametrize(
    ("texts", "says"),
    [
        ("one text", "text is a single str; give a list of texts"),
        (b"one text", "text is a single bytes"),
        (["a", float("nan")], r"text\[1\] is nan, a float; give str or bytes"),
        (["a", None], r"text\[1\] is None"),
    ],
    ids=["str", "bytes", "a hole in a table", "None"],
)
def test_what_is_no_list_of_texts(asked: Any, texts: Any, says: str) -> None:
    with pytest.raises(TypeError, match=says):
        asked.predict(texts)


def test_refusals_carry_the_servers_code_and_words(kind: Any, server: Any) -> None:
    with kind(server.target, name="other") as client:
        with pytest.raises(ServingError, match="Servable not found for request") as caught:
            client.predict(["a"])
        assert caught.value.code is Code.NOT_FOUND
    with (
        kind(server.target, name="tiny", version=7) as client,
        pytest.raises(ServingError, match="NOT_FOUND"),
    ):
        client.predict(["a"])


def test_no_server(kind: Any) -> None:
    with kind("127.0.0.1:1", name="tiny", retries=1) as client:
        with pytest.raises(Unreachable, match="connection refused"):
            client.predict(["a"])
        with pytest.raises(Unreachable, match="not within"):
            client.wait(0.1)


def test_an_unnamed_model_is_the_only_one(kind: Any, server: Any) -> None:
    with kind(server.target) as client:
        assert client.predict(["a"])[0]["label"] == "rotten"


def test_many_calls_at_once_share_a_channel(server: Any) -> None:
    async def ask() -> list[Any]:
        async with AsyncClient(server.target, name="tiny") as client:
            return await asyncio.gather(*(client.predict([text]) for text in TEXTS * 8))

    with Client(server.target, name="tiny") as client:
        assert asyncio.run(ask()) == [client.predict([text]) for text in TEXTS] * 8
