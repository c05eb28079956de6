"""The signatures that a pushed model must have, by their names, keys and types."""

from collections.abc import Mapping
from dataclasses import dataclass

from tensorflow.core.framework import types_pb2
from tensorflow.core.protobuf import meta_graph_pb2

from serving.validation.report import Finding

CHECK = "signatures"
STRING = types_pb2.DT_STRING
FLOAT, INT32 = types_pb2.DT_FLOAT, types_pb2.DT_INT32

Tensors = Mapping[str, int]  # key ▶ DataType


@dataclass(frozen=True)
class Contract:
    """What a signature takes and gives; `exact` where it may give nothing else."""

    inputs: Tensors
    outputs: Tensors
    method: str = "tensorflow/serving/predict"
    exact: bool = False


_TEXT = {"text": STRING}
_CLASSIFIED = {
    "label": STRING,
    "score": FLOAT,
    "labels": STRING,
    "scores": FLOAT,
    "dropped_tokens": INT32,
}
_EDGES = ("starts", "ends", "char_starts", "char_ends")
_TAGGED = {
    **dict.fromkeys(("tokens", "tags", "entities", "entity_types"), STRING),
    **dict.fromkeys(_EDGES, INT32),
    **dict.fromkeys((f"entity_{edge}" for edge in _EDGES), INT32),
    "entity_scores": FLOAT,
    **dict.fromkeys(("n_tokens", "n_entities", "dropped_tokens"), INT32),
}
_TOKENS = {
    "pieces": STRING,
    **dict.fromkeys(("input_word_ids", "input_type_ids", "starts", "ends"), INT32),
    **dict.fromkeys(("n_pieces", "dropped_tokens"), INT32),
}


def _common(answer: Tensors, features: Tensors) -> dict[str, Contract]:
    """The signatures of every task, by what `serving_default` and `transform_features` give."""
    return {
        "serving_default": Contract(_TEXT, answer, exact=True),
        "examples": Contract({"examples": STRING}, answer, exact=True),
        "tokenize": Contract(_TEXT, _TOKENS),
        "transform_features": Contract({"examples": STRING}, features),
        "embed": Contract(_TEXT, {"pooled": FLOAT, "mean": FLOAT}, exact=True),
    }


CLASSIFY = {
    **_common(_CLASSIFIED, {}),
    "classify": Contract(
        {"inputs": STRING},
        {"classes": STRING, "scores": FLOAT},
        method="tensorflow/serving/classify",
        exact=True,
    ),
}

TAG = _common(
    _TAGGED,
    dict.fromkeys(("input_word_ids", "first_piece", "tag_ids", "misaligned_spans"), INT32),
)

CONTRACTS: dict[str, dict[str, Contract]] = {"classify": CLASSIFY, "tag": TAG}


def check_signatures(meta_graph: meta_graph_pb2.MetaGraphDef, task: str) -> list[Finding]:
    """Findings where the model's signatures are not those of the task."""
    contracts = CONTRACTS[task]
    found: list[Finding] = []
    for name, contract in contracts.items():
        if name not in meta_graph.signature_def:
            found.append(Finding(CHECK, f"the signature {name} is missing", name))
        else:
            found += _compare(name, meta_graph.signature_def[name], contract)
    return found


def _compare(
    name: str, signature: meta_graph_pb2.SignatureDef, contract: Contract
) -> list[Finding]:
    inputs, outputs = _keys(signature.inputs), _keys(signature.outputs)
    if name == "serving_default" and inputs != set(contract.inputs):
        return [_not_raw(inputs)]
    wrong = _keys_found("takes", inputs, contract.inputs, exact=True)
    wrong += _keys_found("gives", outputs, contract.outputs, exact=contract.exact)
    wrong += _types_found({**signature.inputs}, contract.inputs)
    wrong += _types_found({**signature.outputs}, contract.outputs)
    if signature.method_name != contract.method:
        wrong.append(f"has the method {signature.method_name} instead of {contract.method}")
    return [Finding(CHECK, f"the signature {name} {sentence}", name) for sentence in wrong]


def _not_raw(inputs: set[str]) -> Finding:
    if inputs & {"examples", "inputs"}:
        return wants_example(f"its input is {_list(inputs)}")
    return Finding(
        CHECK,
        f"serving_default takes {_list(inputs)} instead of text",
        "serving_default",
        "Name its only input text, a string of shape [batch].",
    )


def wants_example(evidence: str) -> Finding:
    """Of a model that clients would have to send protocol buffers to."""
    return Finding(
        CHECK,
        f"serving_default wants a serialized tf.Example, not a raw string: {evidence}",
        "serving_default",
        "Export serving_default with one string input, text, and keep tf.Example for `examples`.",
    )


def _keys(tensors: object) -> set[str]:
    return set(tensors)  # type: ignore[call-overload]


def _keys_found(verb: str, has: set[str], wanted: Tensors, exact: bool) -> list[str]:
    missing, extra = set(wanted) - has, has - set(wanted)
    wrong = [f"{verb} no {_list(missing)}"] if missing else []
    return [*wrong, f"{verb} {_list(extra)} too"] if extra and exact else wrong


def _types_found(tensors: Mapping[str, meta_graph_pb2.TensorInfo], wanted: Tensors) -> list[str]:
    name = types_pb2.DataType.Name
    return [
        f"has {key} of type {name(tensors[key].dtype)} instead of {name(dtype)}"
        for key, dtype in wanted.items()
        if key in tensors and tensors[key].dtype != dtype
    ]


def _list(names: set[str]) -> str:
    return ", ".join(sorted(names)) or "nothing"
