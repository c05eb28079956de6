"""Ops, attributes and CPU kernels that each TensorFlow Serving release knows; a check by them."""
