"""What each REST call does: JSON in, JSON out, as http_rest_api_handler.cc of TF Serving."""

from collections.abc import Callable
from typing import Any

from serving.calls import DEFAULT_SIGNATURE
from serving.errors import invalid
from serving.server import answers, examples, inference, json_examples, metadata, values
from serving.server.json_document import parse, signature_name
from serving.server.models import Models
from serving.server.rest_paths import Call


def answer(models: Models, call: Call, body: bytes) -> bytes:
    """Answers a call in strict JSON; the body counts for predict, classify and regress only.

    Raises:
        ServingError: whatever is wrong with the request, or went wrong in the graph.
    """
    return answers.encode(_CALLS[call.name](models, call.spec, body))


def _predict(models: Models, spec: Any, body: bytes) -> dict[str, Any]:
    document = parse(body)
    name = signature_name(document) or DEFAULT_SIGNATURE
    with models.servable(spec) as servable:
        if name not in servable.signatures:
            raise invalid(f'Serving signature name: "{name}" not found in signature def')
        signature = servable.signatures[name]
        if not signature.inputs:
            raise invalid(f"Failed to get input map for signature: {name}")
        inputs = values.inputs_of(document, signature)
        outputs = inference.predict(servable, name, inputs)
    return answers.rows(outputs) if "instances" in document else answers.columns(outputs)


def _classify(models: Models, spec: Any, body: bytes) -> dict[str, Any]:
    return json_examples.classifications(_of_examples(examples.classify, models, spec, body))


def _regress(models: Models, spec: Any, body: bytes) -> dict[str, Any]:
    return json_examples.regressions(_of_examples(examples.regress, models, spec, body))


def _of_examples(run: Callable[..., Any], models: Models, spec: Any, body: bytes) -> Any:
    document = parse(body)
    name = signature_name(document)
    wanted = json_examples.input_of(document)
    with models.servable(spec) as servable:
        return run(servable, name, wanted)


def _metadata(models: Models, spec: Any, body: bytes) -> dict[str, Any]:
    with models.servable(spec) as servable:
        return metadata.signatures(spec.name, servable)


def _status(models: Models, spec: Any, body: bytes) -> dict[str, Any]:
    return metadata.status(models.states(spec))


_CALLS = {
    "predict": _predict,
    "classify": _classify,
    "regress": _regress,
    "metadata": _metadata,
    "status": _status,
}
