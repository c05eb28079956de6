"""The table of errors: what is asked, over which protocols, with which codes and kind of message.

Two models are served: `tiny` (tiny_model.py) and `shared` (shared_input_model.py). A row's `source`
is the file it was read from, with the commit of that reading; files of tensorflow/serving unless
they begin with `tensorflow/`. `differs` says why we answer otherwise on purpose: such a row is not
asked of a real server.
"""

from typing import Any, NamedTuple

from error_requests import (
    Http,
    classify,
    get,
    metadata,
    multi,
    post,
    predict,
    regress,
    stating,
    status,
    without_spec,
)

CORE = "model_servers/server_core.cc@1697e743"
LABELS = "model_servers/http_rest_api_handler_test.cc@49ac8acb"
MANAGER = "core/basic_manager.cc@4d16ddda"
PREDICT = "servables/tensorflow/predict_util.cc@4196a724"
SERVICE = "servables/tensorflow/predict_impl.cc@01b3811e"
CLASSIFY = "servables/tensorflow/classifier.cc@3c65090a"
REGRESS = "servables/tensorflow/regressor.cc@1c4fab79"
INPUT = "servables/tensorflow/util.cc@c3466067"
MULTI = "servables/tensorflow/multi_inference.cc@ffc93e9d"
METADATA = "servables/tensorflow/get_model_metadata_impl.cc@1b86c9e7"
STATUS = "model_servers/get_model_status_impl.cc@1b86c9e7"
PATHS = "model_servers/http_rest_api_util.cc@21360c76"
HANDLER = "model_servers/http_rest_api_handler.cc@b6b8cca6"
SERVER = "model_servers/http_server.cc@194173ab"
JSON = "util/json_tensor.cc@00f8ba53"
GZIP = "util/net_http/server/internal/evhttp_request.cc@d45ae5a7"
ARGS = "tensorflow/core/framework/function.cc@1d109e21"
EXAMPLE = "tensorflow/core/util/example_proto_fast_parsing.cc@0866b7a7"

TEXT = {"text": ["a"]}
ONE = {"instances": ["a"]}
A, X, XX = {"text": "a"}, {"x": 1.0}, ({"x": 1.0}, {"x": 2.0})
BIG = "9" * 30


class Case(NamedTuple):
    """`grpc` is a request and a code, `rest` a request and an HTTP status."""

    name: str
    source: str
    says: str
    grpc: tuple[Any, str] | None = None
    rest: tuple[Http, int] | None = None
    differs: str = ""


def bad(request: Any) -> tuple[Any, str]:
    return request, "INVALID_ARGUMENT"


def bad_post(body: Any, call: str = "tiny:predict") -> tuple[Http, int]:
    return post(call, body), 400


def unfit(method: str, signature: str, says: str, code: str = "INVALID_ARGUMENT") -> Case:
    """A signature that does not fit the method."""
    ask, source = {"classify": (classify, CLASSIFY), "regress": (regress, REGRESS)}[method]
    body = {"signature_name": signature, "examples": list(XX)}
    return Case(
        f"{method} by {signature}",
        source,
        says,
        grpc=(ask(*XX, name="shared", signature=signature), code),
        rest=bad_post(body, f"shared:{method}"),
    )


def wrong_path(name: str, request: Http, says: str = "Malformed request: ") -> Case:
    return Case(name, PATHS, says, rest=(request, 400))


def wrong_json(name: str, body: Any, says: str, call: str = "tiny:predict", **more: str) -> Case:
    return Case(name, JSON, says, rest=bad_post(body, call), **more)


def wrong_examples(name: str, body: Any, says: str) -> Case:
    return wrong_json(f"examples: {name}", body, says, "tiny:classify")


def numbers(x: Any, k: Any) -> dict[str, Any]:
    return {"signature_name": "numbers", "instances": [{"x": x, "k": k}]}


MODEL = [
    Case("no spec", SERVICE, "Missing ModelSpec", bad(without_spec(predict(TEXT)))),
    Case("classify: no spec", SERVICE, "Missing ModelSpec", bad(without_spec(classify(A)))),
    Case("no name", CORE, "ModelSpec has no name specified", bad(predict(TEXT, name=""))),
    Case(
        "missing model", MANAGER, r"Servable not found for request: Latest\(no\)",
        (predict(TEXT, name="no"), "NOT_FOUND"), (post("no:predict", ONE), 404),
    ),
    Case(
        "classify: missing model", MANAGER, r"Servable not found for request: Latest\(no\)",
        (classify(A, name="no"), "NOT_FOUND"), (post("no:classify", {"examples": [A]}), 404),
    ),
    Case(
        "missing version", MANAGER, r"Servable not found for request: Specific\(tiny, 9\)",
        (predict(TEXT, version=9), "NOT_FOUND"), (post("tiny/versions/9:predict", ONE), 404),
    ),
    Case(
        "missing label", LABELS, "Unrecognized servable version label: canary",
        bad(predict(TEXT, label="canary")), (post("tiny/labels/canary:predict", ONE), 400),
    ),
    Case(
        "metadata of a missing model", METADATA, r"Latest\(no\)",
        (metadata("signature_def", name="no"), "NOT_FOUND"), (get("/v1/models/no/metadata"), 404),
    ),
    Case("no metadata field", METADATA, "at least one metadata_field", bad(metadata())),
    Case("unknown metadata field", METADATA, "is not supported", bad(metadata("no"))),
    Case(
        "status of a missing model", STATUS, "Could not find any versions of model no",
        (status(name="no"), "NOT_FOUND"), (get("/v1/models/no"), 404),
    ),
    Case(
        "status of a missing version", STATUS, "Could not find version 9 of model tiny",
        (status(version=9), "NOT_FOUND"), (get("/v1/models/tiny/versions/9"), 404),
    ),
    Case("status: no spec", STATUS, "Missing ModelSpec", bad(without_spec(status()))),
]  # fmt: skip

TENSORS = [
    Case(
        "missing signature", PREDICT, 'Serving signature key "no" not found',
        (predict(TEXT, signature="no"), "FAILED_PRECONDITION"),
    ),
    Case(
        "missing signature in JSON", HANDLER, 'name: "no" not found in signature def',
        rest=bad_post({"signature_name": "no", **ONE}),
    ),
    Case("input missing", PREDICT, r"0!=1 .*Missing but required: \{text\}", bad(predict({}))),
    Case(
        "input extra", PREDICT, r"2!=1 .*Sent extra: \{more\}",
        bad(predict({"text": ["a"], "more": ["b"]})),
    ),
    Case("input misnamed", PREDICT, "alias not found in .*: txt", bad(predict({"txt": ["a"]}))),
    Case("unknown output", PREDICT, "alias not found in .*: no", bad(predict(TEXT, ("no",)))),
    Case(
        "output twice", PREDICT, "duplicate output tensor alias: score",
        bad(predict(TEXT, ("score", "score"))),
    ),
    Case(
        "wrong dtype", ARGS, r"Expects arg\[0\] to be string but float is provided",
        bad(predict({"text": [1.5]})),
    ),
    Case(
        "wrong rank", ARGS, "must have shape", bad(predict({"text": [["a"]]})),
        bad_post({"instances": [["a"]]}), differs="said before the graph runs, by the input's name",
    ),
    Case(
        "a scalar", ARGS, "must have shape", bad(predict({"text": "a"})),
        bad_post({"inputs": "a"}), differs="said before the graph runs, by the input's name",
    ),
    Case("negative size", PREDICT, "parsing error: text", bad(predict({"text": stating(-2)}))),
    Case(
        "giant shape", PREDICT, "tensor parsing error: text has more than",
        bad(predict({"text": stating(1 << 40)})), differs="never allocated; TF Serving tries to",
    ),
    Case("no dtype", PREDICT, "tensor parsing error", bad(predict({"text": stating(1, dtype=0)}))),
    Case(
        "content too short", PREDICT, "tensor parsing error: x",
        bad(predict(
            {"x": stating(1, 2, dtype=1, tensor_content=b"\0"), "k": [1]}, signature="numbers"
        )),
    ),
    Case(
        "malformed tf.Example", EXAMPLE, "Could not parse example input",
        bad(predict({"inputs": [b"\xff"]}, signature="classify")),
        bad_post({"signature_name": "classify", "instances": [{"b64": "/w=="}]}),
    ),
]  # fmt: skip

EXAMPLES = [
    Case("empty Input", INPUT, "Input is empty", bad(classify(signature="classify"))),
    Case("regress: empty Input", INPUT, "Input is empty", bad(regress(signature="regress"))),
    Case(
        "feature of another type", EXAMPLE, "Data types don't match",
        bad(classify({"x": "one"}, name="shared", signature="classify")),
        bad_post({"signature_name": "classify", "examples": [{"x": "one"}]}, "shared:classify"),
    ),
    Case(
        "feature missing", EXAMPLE, "is required but could not be found",
        bad(regress({}, name="shared", signature="regress")),
        bad_post({"signature_name": "regress", "examples": [{}]}, "shared:regress"),
    ),
    unfit("classify", "no", "No signature was found with the name: no"),
    unfit("regress", "no", "No signature was found with the name: no"),
    unfit("classify", "", "No signature was found with the name: serving_default"),
    unfit("classify", "runs", "method_name to be tensorflow/serving/classify. Was: .*/predict"),
    unfit("regress", "classify", "method_name to be tensorflow/serving/regress. Was: .*/classify"),
    unfit("classify", "two inputs", "Expected one input Tensor"),
    unfit("classify", "three outputs", "Expected one or two output Tensors, found 3"),
    unfit("classify", "named x", "No classification inputs found", "FAILED_PRECONDITION"),
    unfit("classify", "misnamed", '"classes" or "scores"', "FAILED_PRECONDITION"),
    unfit("classify", "flat", r"Expected Tensor shape: \[batch_size num_classes\] but got \[2\]"),
    unfit("classify", "integers", "Expected scores Tensor of DT_FLOAT. Got: DT_INT64"),
    unfit("classify", "one row", "Expected scores output batch size of 2. Got: 1"),
    unfit("classify", "uneven", r"should match in dim_size\(1\). Got 2 vs. 1"),
    unfit("regress", "two outputs", "Expected one output Tensor"),
    unfit("regress", "output", "No regression outputs found", "FAILED_PRECONDITION"),
    unfit("regress", "matrix", r"\[batch_size, 1\] but got \[2, ?2\]"),
    unfit("regress", "one value", "did not match output batch size: 2 vs. 1"),
    unfit("regress", "integer", "Expected output Tensor of DT_FLOAT. +Got: DT_INT64"),
]  # fmt: skip

C, R = ("classify", "classify"), ("regress", "regress")
TASKS = [
    Case("no tasks", CORE, "ModelSpec has no name specified", bad(multi())),
    Case("task of no model", MULTI, "same model name", bad(multi(C, ("regress", "tiny/regress")))),
    Case("task twice", MULTI, "Duplicate evaluation of signature: classify", bad(multi(C, R, C))),
    Case("task missing", MULTI, "not found in model graph: no", bad(multi(C, ("regress", "no")))),
    Case(
        "task of another method", MULTI, "Unsupported signature method_name: .*/predict",
        (multi(C, ("predict", "runs")), "UNIMPLEMENTED"),
    ),
    Case("task unfit", MULTI, "method_name to be", bad(multi(("classify", "regress")))),
    Case(
        "tasks of two inputs", MULTI, "Input tensor must be the same",
        bad(multi(C, ("regress", "elsewhere"))),
    ),
    Case(
        "tasks of a TF 2 model", MULTI, "Input tensor must be the same",
        bad(multi(C, R, name="tiny")),
    ),
    Case("tasks: no examples", INPUT, "Input is empty", bad(multi(C, R, examples=0))),
]  # fmt: skip

WRONG_PATHS = [
    wrong_path("unknown verb", post("tiny:explain", ONE), "Malformed request: POST /v1/models/"),
    wrong_path("verb in upper case", post("tiny:PREDICT", ONE)),
    wrong_path("no verb", post("tiny", ONE)),
    wrong_path("GET for a verb", get("/v1/models/tiny:predict")),
    wrong_path("a query", post("tiny:predict?x=1", ONE)),
    Case("a query in a name", PATHS, r"model tiny\?x", rest=(get("/v1/models/tiny?x"), 404)),
    wrong_path("version and label", post("tiny/versions/1/labels/a:predict", ONE)),
    wrong_path("version in letters", post("tiny/versions/one:predict", ONE)),
    wrong_path("version too large", post(f"tiny/versions/{BIG}:predict", ONE), "convert version"),
    wrong_path("dots", post("../etc:predict", ONE)),
    wrong_path("no such collection", get("/v1/nothing")),
    wrong_path("PUT", Http("PUT", "/v1/models/tiny:predict", b"{}"), "request: PUT /v1/models/"),
    wrong_path("DELETE", Http("DELETE", "/v1/models/tiny")),
    wrong_path("PATCH", Http("PATCH", "/v1/models/tiny:predict", b"{}")),
    wrong_path("OPTIONS", Http("OPTIONS", "/v1/models/tiny:predict")),
    Case("no model name", HANDLER, "Missing model name", rest=(get("/v1/models"), 400)),
    Case(
        "outside the API", SERVER, "Malformed request: GET /nothing", rest=(get("/nothing"), 404),
        differs="the same code, in JSON; TF Serving sends a page of HTML",
    ),
]  # fmt: skip

DOCUMENTS = [
    wrong_json("empty body", b"", "JSON Parse error: The document is empty"),
    wrong_json("bad JSON", b'{"instances": [', "JSON Parse error"),
    wrong_json("two documents", b"{} {}", "JSON Parse error"),
    wrong_json("no object", b"[1]", "Is not object"),
    wrong_json("number too big", b'{"instances": [1e400]}', "JSON Parse error: Number too big"),
    wrong_json("lone surrogate", b'{"instances": ["\\ud800"]}', "JSON Parse error: .*surrogate"),
    wrong_json(
        "not UTF-8", b'{"instances": ["\xff"]}', "JSON Parse error",
        differs="TF Serving takes any bytes, and answers with them",
    ),
    wrong_json(
        "deep nesting", b'{"instances": ' + b"[" * 50_000, "nested too deeply",
        differs="TF Serving recurses as deep as the document",
    ),
    wrong_json("signature_name no string", {"signature_name": 3, **ONE}, "must be a string value"),
    wrong_json("neither key", {"texts": ["a"]}, "Missing 'inputs' or 'instances' key"),
    wrong_json("both keys", {**ONE, "inputs": ["a"]}, "expecting only one of"),
    wrong_json("instances no list", {"instances": "a"}, "to be an list/array"),
    wrong_json("no instances", {"instances": []}, "No values in 'instances' array"),
    wrong_json("mixed rows", {"instances": [A, "a"]}, "Expecting object but got list at item 1"),
    wrong_json("mixed rows, plain first", {"instances": ["a", A]}, "but got object at item 1"),
    wrong_json("rows of uneven shape", {"instances": ["a", ["b"]]}, r"shape \[\] but got: \[1\]"),
    wrong_json("rows of uneven size", {"instances": ["a", ["b", "c"]]}, "size: 1 but got: 2"),
    wrong_json("lists of uneven size", {"inputs": [["a"], ["b", "c"]]}, "size: 2 at level: 1"),
    wrong_json("value above a list", {"inputs": [["a"], "b"]}, "at incorrect level: 2"),
    wrong_json("list below a value", {"inputs": ["a", ["b"]]}, "list at unexpected level: 1"),
    wrong_json("row misnamed", {"instances": [{"txt": "a"}]}, "not have named input: txt"),
    wrong_json(
        "row lacks an input", {"signature_name": "numbers", "instances": [{"k": 1}]},
        "keys must be equal to: k,x",
    ),
    wrong_json("column missing", {"inputs": {"txt": ["a"]}}, "Missing named input: text"),
    wrong_json(
        "plain rows, two inputs", {"signature_name": "numbers", "instances": [1]},
        "expecting list of objects",
    ),
    wrong_json(
        "plain column, two inputs", {"signature_name": "numbers", "inputs": [1]},
        "expecting an object",
    ),
    wrong_json("wrong JSON type", {"instances": [1]}, "Number is not of expected type: string"),
    wrong_json("null", {"instances": [None]}, "Type: Null is not of expected type: string"),
    wrong_json("fraction for int", numbers([1, 2], 1.5), "not of expected type: int32"),
    wrong_json("int overflow", numbers([1, 2], 1 << 31), "not of expected type: int32"),
    wrong_json("lossy float", numbers([1, (1 << 24) + 1], 1), "without loss of precision"),
    wrong_json("float overflow", numbers([1, 1e39], 1), "without loss of precision"),
    wrong_json("wrong base64", {"instances": [{"b64": "%"}]}, "Unable to base64 decode"),
    wrong_json("base64 no string", {"inputs": [{"b64": 1}]}, "not formatted correctly for base64"),
    wrong_json(
        "no inputs at all", {"signature_name": "runs", **ONE}, "input map for signature: runs",
        "shared:predict",
    ),
    wrong_examples("missing", ONE, "key 'examples' is expected"),
    wrong_examples("no list", {"examples": A}, "Expecting 'examples' value to be an list/array"),
    wrong_examples("empty", {"examples": []}, "'examples' value is an empty array"),
    wrong_examples("no object", {"examples": ["a"]}, "must be JSON object but got JSON String"),
    wrong_examples("null", {"examples": [{"x": None}]}, "unexpected JSON type: Null"),
    wrong_examples("nested", {"examples": [{"x": [[1]]}]}, "unexpected JSON type: Array"),
    wrong_examples("object", {"examples": [{"x": {"y": 1}}]}, "unexpected JSON type: Object"),
    wrong_examples("two kinds", {"examples": [{"x": [1, "a"]}]}, "expecting type: int64"),
    wrong_examples("uint64", {"examples": [{"x": 1 << 63}]}, "Only int64 is supported"),
    wrong_examples("wrong base64", {"examples": [{"x": {"b64": "%"}}]}, "Unable to base64 decode"),
    wrong_examples("context no object", {"context": 1, "examples": [A]}, "got JSON Number"),
    Case(
        "not gzip", GZIP, "not gzip",
        rest=(post("tiny:predict", b"{}", **{"Content-Encoding": "gzip"}), 400),
        differs="TF Serving says that the document is empty",
    ),
    Case(
        "an answer JSON cannot hold", JSON, "output inverse has NaN or infinite values",
        rest=(post("tiny:predict", numbers([0, 0], 0)), 500), differs="TF Serving answers no JSON",
    ),
    Case(
        "a result JSON cannot hold", JSON, "output outputs has NaN or infinite values",
        rest=(post("shared:regress", {"signature_name": "not finite", "examples": [X]}), 500),
        differs="TF Serving answers no JSON",
    ),
]  # fmt: skip

CASES = MODEL + TENSORS + EXAMPLES + TASKS + WRONG_PATHS + DOCUMENTS
