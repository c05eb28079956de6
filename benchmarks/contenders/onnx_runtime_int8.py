"""ONNX Runtime with weights of 8 bits and activations quantized as they come."""

from functools import partial

from contenders import onnx_runtime

load = partial(onnx_runtime.load, file="model-int8.onnx")
