"""Warm-up requests: TF Serving runs them at load, so that no caller pays for the first run.

Format: ``assets.extra/tf_serving_warmup_requests``, a TFRecord of ``PredictionLog``, at most 1,000
(tensorflow.org/tfx/serving/saved_model_warmup).
"""

import os

import tensorflow as tf
from tensorflow_serving.apis import predict_pb2, prediction_log_pb2

WARMUP = os.path.join("assets.extra", "tf_serving_warmup_requests")
_BATCH_SIZES = (1, 32)
_LENGTHS = (2, 16, 32, 64, 128, 256, 512)


def write(saved_model: str, max_tokens: int) -> None:
    """Writes one request for each length bucket and batch size.

    Args:
        saved_model: the SavedModel's folder.
        max_tokens: no text is longer than this many pieces (one more bucket would repeat it).
    """
    path = os.path.join(saved_model, WARMUP)
    tf.io.gfile.makedirs(os.path.dirname(path))
    with tf.io.TFRecordWriter(path) as writer:
        for length in [n for n in _LENGTHS if n < max_tokens] + [max_tokens]:
            for batch_size in _BATCH_SIZES:
                writer.write(_request(length, batch_size).SerializeToString())


def _request(pieces: int, batch_size: int) -> prediction_log_pb2.PredictionLog:
    # A full stop is a piece of its own whatever the vocabulary; [CLS] and [SEP] are two more.
    text = " ".join(["."] * max(0, pieces - 2))
    request = predict_pb2.PredictRequest()
    request.model_spec.signature_name = "serving_default"
    request.inputs["text"].CopyFrom(tf.make_tensor_proto([text] * batch_size))
    return prediction_log_pb2.PredictionLog(
        predict_log=prediction_log_pb2.PredictLog(request=request)
    )
