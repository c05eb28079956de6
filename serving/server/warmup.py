"""Warm-up requests: a SavedModel brings its first requests along, run before users' ones."""

from collections.abc import Iterator
from pathlib import Path

import tensorflow as tf
from tensorflow_serving.apis import prediction_log_pb2

from serving import tensors
from serving.errors import NotAModel, ServingError
from serving.server import examples, inference
from serving.server.servable import Servable

WARMUP_FILE = "assets.extra/tf_serving_warmup_requests"
MAX_RECORDS = 1000


def requests_in(path: Path) -> Iterator[prediction_log_pb2.PredictionLog]:
    """The PredictionLog records of a version's warm-up file; none if it has no such file.

    Format and limit: tensorflow_serving/servables/tensorflow/saved_model_warmup.cc.

    Raises:
        NotAModel: more records than TF Serving takes, or records that are no PredictionLog.
    """
    file = path / WARMUP_FILE
    if not file.is_file():
        return
    try:
        for count, record in enumerate(tf.data.TFRecordDataset(str(file)).as_numpy_iterator()):
            if count == MAX_RECORDS:
                fix = "TF Serving refuses such a model: write fewer."
                raise NotAModel(file, f"more than {MAX_RECORDS} warm-up requests", fix)
            yield prediction_log_pb2.PredictionLog.FromString(record)
    except (tf.errors.DataLossError, ValueError) as error:
        if isinstance(error, NotAModel):
            raise
        raise NotAModel(
            file, f"no TFRecord of PredictionLog: {error}", "Write it again."
        ) from error


def warm(servable: Servable, iterations: int = 1) -> int:
    """Runs the servable's warm-up requests, each so many times, and counts them.

    One that comes alone and one that runs in company take different graphs: both are warmed.

    Raises:
        NotAModel: a request of the model's own fails, which TF Serving takes for a broken model.
    """
    count = 0
    for log in requests_in(servable.path):
        try:
            for _ in range(iterations):
                _replay(servable, log)
                if servable.batches:
                    with servable.crowded():
                        _replay(servable, log)
        except ServingError as error:
            fix = "Its warm-up requests must be answerable."
            raise NotAModel(servable.path, f"warm-up request {count}: {error}", fix) from error
        count += 1
    return count


def _replay(servable: Servable, log: prediction_log_pb2.PredictionLog) -> None:
    kind = log.WhichOneof("log_type")
    if kind == "predict_log":
        request = log.predict_log.request
        inputs = {name: tensors.to_array(t, name) for name, t in request.inputs.items()}
        signature = request.model_spec.signature_name
        inference.predict(servable, signature, inputs, request.output_filter)
    elif kind == "classify_log":
        request = log.classify_log.request
        examples.classify(servable, request.model_spec.signature_name, request.input)
    elif kind == "regress_log":
        request = log.regress_log.request
        examples.regress(servable, request.model_spec.signature_name, request.input)
