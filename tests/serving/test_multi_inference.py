"""MultiInference on a model whose classify and regress signatures share one input tensor."""

from collections.abc import Iterator
from typing import Any

import grpc
import pytest
from error_requests import classify, example, method_of, multi, predict, regress

X = [1.5, -2.0, 0.0]


@pytest.fixture(scope="module")
def call(shared_server: Any) -> Iterator[Any]:
    with grpc.insecure_channel(shared_server.target) as channel:
        yield lambda request: method_of(request, channel)(request, timeout=60)


def tasks(*pairs: tuple[str, str]) -> Any:
    request = multi(*pairs, examples=0)
    request.input.example_list.examples.extend(example(x=x) for x in X)
    return request


def on_shared(ask: Any, signature: str) -> Any:
    return ask(*({"x": x} for x in X), name="shared", signature=signature)


def runs(call: Any) -> int:
    answer = call(predict({}, name="shared", signature="runs"))
    return answer.outputs["runs"].int64_val[0]


def test_two_tasks_answer_as_classify_and_regress_do(call: Any) -> None:
    first, second = call(tasks(("classify", "classify"), ("regress", "regress"))).results
    assert first.classification_result == call(on_shared(classify, "classify")).result
    assert second.regression_result == call(on_shared(regress, "regress")).result
    assert [entry.value for entry in second.regression_result.regressions] == [3.0, -4.0, 0.0]


def test_every_result_names_model_version_and_signature(call: Any) -> None:
    answer = call(tasks(("regress", "column"), ("classify", "scores")))
    specs = [result.model_spec for result in answer.results]
    assert [spec.signature_name for spec in specs] == ["column", "scores"]
    assert {(spec.name, spec.version.value) for spec in specs} == {("shared", 1)}


def test_the_graph_runs_once_for_all_tasks(call: Any) -> None:
    before = runs(call)
    call(tasks(("classify", "classify"), ("regress", "regress"), ("classify", "scores")))
    assert runs(call) == before + 1


@pytest.mark.parametrize(
    ("signature", "labels", "scores"),
    [("classes", ["plus", "minus"], [0, 0]), ("scores", ["", ""], [1.5, -1.5])],
    ids=["no scores", "no classes"],
)
def test_classes_or_scores_may_be_missing(
    call: Any, signature: str, labels: list[str], scores: list[float]
) -> None:
    (result,) = call(tasks(("classify", signature))).results
    classes = result.classification_result.classifications[0].classes
    assert [(entry.label, entry.score) for entry in classes] == list(
        zip(labels, scores, strict=True)
    )


def test_a_context_is_part_of_every_example(call: Any) -> None:
    request = multi(("regress", "regress"), ("classify", "classify"), examples=0)
    request.input.example_list_with_context.context.CopyFrom(example(x=2.0))
    request.input.example_list_with_context.examples.extend([example(), example(x=5.0)])
    values = call(request).results[0].regression_result.regressions
    assert [entry.value for entry in values] == [4.0, 10.0]


def test_a_column_is_a_regression_too(call: Any) -> None:
    assert call(on_shared(regress, "column")).result == call(on_shared(regress, "regress")).result
