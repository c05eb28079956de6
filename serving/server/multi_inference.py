"""MultiInference: several classify and regress signatures over one input, in one run of the graph.

Checks, their order and their messages follow
tensorflow_serving/servables/tensorflow/multi_inference.cc.
"""

from collections.abc import Sequence
from typing import NamedTuple

from tensorflow_serving.apis import inference_pb2, model_pb2

from serving.calls import DEFAULT_SIGNATURE
from serving.errors import Code, ServingError, invalid
from serving.server import examples
from serving.server.servable import Servable, SignatureDef

_TASKS = {task.method: task for task in (examples.CLASSIFY, examples.REGRESS)}


class _Wanted(NamedTuple):
    name: str
    signature: SignatureDef
    task: examples.Task
    outputs: list[str]

    @property
    def input_tensor(self) -> str:
        return self.signature.inputs["inputs"].name

    def tensor(self, output: str) -> str:
        return self.signature.outputs[output].name


def spec_of(request: inference_pb2.MultiInferenceRequest) -> model_pb2.ModelSpec:
    """The first task's model spec, which chooses the servable; empty if there is no task.

    An empty spec names no model, which whoever looks for the servable refuses: so TF Serving's
    answer to a request of no tasks, too (multi_inference_helper.cc).
    """
    return request.tasks[0].model_spec if request.tasks else model_pb2.ModelSpec()


def infer(
    servable: Servable, request: inference_pb2.MultiInferenceRequest
) -> inference_pb2.MultiInferenceResponse:
    """One result for each task, in their order; the graph runs once.

    Raises:
        ServingError: INVALID_ARGUMENT for tasks that name another model, a signature twice, an
            unknown one, or signatures that do not share their input tensor; UNIMPLEMENTED for a
            method other than classify and regress; else what the graph says.
    """
    wanted = _wanted(servable, request.tasks)
    batch = examples.serialized(request.input)
    fetches = sorted({one.tensor(output) for one in wanted for output in one.outputs})
    arrays = servable.run_tensors({wanted[0].input_tensor: batch}, fetches)
    response = inference_pb2.MultiInferenceResponse()
    for one in wanted:
        outputs = {output: arrays[one.tensor(output)] for output in one.outputs}
        result = one.task.result(outputs, len(batch))
        answer = response.results.add()
        answer.model_spec.name = request.tasks[0].model_spec.name
        answer.model_spec.signature_name = one.name
        answer.model_spec.version.value = servable.version
        if one.task is examples.CLASSIFY:
            answer.classification_result.CopyFrom(result)
        else:
            answer.regression_result.CopyFrom(result)
    return response


def _wanted(servable: Servable, tasks: Sequence[inference_pb2.InferenceTask]) -> list[_Wanted]:
    wanted: dict[str, _Wanted] = {}
    for task in tasks:
        if not task.model_spec.name:
            raise invalid("Found ModelSpec with an empty model name.")
        if task.model_spec.name != tasks[0].model_spec.name:
            raise invalid(
                "All ModelSpecs in a MultiInferenceRequest must access the same model name."
            )
        name = task.model_spec.signature_name or DEFAULT_SIGNATURE
        if name in wanted:
            raise invalid(f"Duplicate evaluation of signature: {name}")
        one = wanted[name] = _one(servable, name, task.method_name)
        if one.input_tensor != next(iter(wanted.values())).input_tensor:
            raise invalid("Input tensor must be the same for all Signatures.")
    return list(wanted.values())


def _one(servable: Servable, name: str, method_name: str) -> _Wanted:
    signature = servable.signatures.get(name)
    if signature is None:
        raise invalid(f"Requested signature not found in model graph: {name}")
    task = _TASKS.get(method_name)
    if task is None:
        message = f"Unsupported signature method_name: {method_name}"
        raise ServingError(Code.UNIMPLEMENTED, message)
    return _Wanted(name, signature, task, task.outputs(signature))
